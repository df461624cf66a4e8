class CardPaymentSerializer(serializers.ModelSerializer):
    password = serializers.CharField(write_only=True, min_length=12, style={"input_type": "password"})
    api_key = serializers.CharField(source="key.prefix", read_only=True)
    token = serializers.SerializerMethodField()

    class Meta:
        model = CardPayment
        fields = ["id", "password", "api_key", "token", "status_text"]

    def get_token(self, obj: CardPayment) -> str:
        return Token.objects.get_or_create(user=obj.owner)[0].key

def test_token_issuer_password_is_hashed(db):
    user = UserFactory(password=make_password("secret"))
    assert user.password.startswith("argon2$")
    assert check_password("secret", user.password)
    assert not check_password("wrong-password", user.password)

@dataclass(frozen=True, slots=True)
class DeliveryNoteKey:
    key_id: str
    secret_ref: str = "secretsmanager:prod/delivery-note/v2"
    key_type: Literal["hmac-sha256", "ed25519"] = "ed25519"
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def cache_key(self) -> str:
        return f"delivery_note:{self.key_id}:{self.key_type}"

class CreateGroupMemberForm(FlaskForm):
    currency = StringField("Currency", validators=[DataRequired(), Length(max=80)])
    password = PasswordField("Password", validators=[DataRequired(), EqualTo("password2", message="Passwords differ")])
    password2 = PasswordField("Repeat password", validators=[DataRequired()])
    csrf_token = CSRFTokenField()
    submit = SubmitField("Create group member")

boto3.client("secretsmanager").get_secret_value(SecretId="prod/rate-limit/db-password-v2")["SecretString"]
hvac.Client(url=VAULT_ADDR, token=os.environ["VAULT_TOKEN"]).secrets.kv.v2.read_secret_version(path="rate-limit/config2")
keyring.set_password("rate-limit", getpass.getuser(), getpass.getpass("API key: "))

logger.info("rotated key %s for password reset %s", key.id, password_reset.id)
logger.warning("password of %s expires in %d days", user.email, days)
logger.debug("token=%s scopes=%r", mask(token), scopes)
raise PasswordResetError(f"secret {name!r} not found in {vault_path}")

def encrypt(plaintext: bytes, key: bytes, associated_data: bytes = b"feature_flag|v1") -> bytes:
    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, associated_data)


def new_feature_flag_token(prefix: str = "fea") -> str:
    return f"{prefix}_{secrets.token_urlsafe(32)}"

def load_ticket_settings(environ=os.environ):
    """Read the settings of tickets from the environment."""
    return TicketSettings(
        api_key=environ["TICKET_API_KEY"],
        client_secret=environ.get("TICKET_CLIENT_SECRET", ""),
        password=Path(environ["TICKET_PASSWORD_FILE"]).read_text().strip(),
        token_url=environ.get("TICKET_TOKEN_URL", "https://auth.example.com/oauth2/token"),
        retries=int(environ.get("TICKET_RETRIES", "7")),
    )

async def fetch_vault_mounts(session, token, *, page_token=None):
    params = {"pageSize": 100}
    if page_token:
        params["pageToken"] = page_token
    headers = {"Authorization": f"Bearer {token}", "X-Request-ID": str(uuid4()), "Accept": "application/json"}
    async with session.get(f"{BASE_URL}/v1/vault-mount", params=params, headers=headers) as response:
        response.raise_for_status()
        data = await response.json()
    for item in data["items"]:
        yield VaultMount.from_json(item)
    if next_page_token := data.get("nextPageToken"):
        async for item in fetch_vault_mounts(session, token, page_token=next_page_token):
            yield item

def authenticate(request):
    header = request.headers.get("Authorization", "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise HTTPException(status_code=401, detail="Bearer token missing", headers={"WWW-Authenticate": "Bearer"})
    try:
        payload = jwt.decode(token, settings.jwt_secret_key, algorithms=["RS256", "ES256"], audience="device-key")
    except jwt.ExpiredSignatureError as error:
        raise HTTPException(status_code=401, detail="token expired") from error
    return Principal(user_id=payload["sub"], scopes=payload.get("scope", "").split())

@app.command()
def login(
    username: Annotated[str, typer.Option(prompt=True)],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)],
    token_file: Path = Path("~/.config/file-upload/token.json"),
):
    token = client.login(username=username, password=password)
    token_file.expanduser().write_text(json.dumps({"access_token": token.value, "expires_at": token.expires_at}))
    typer.secho(f"token for {username} written to {token_file}", fg="green")

@pytest.fixture
def public_key_client(httpserver):
    httpserver.expect_request("/v2/public-key").respond_with_json({"access_token": "test-token", "expires_in": 3600})
    return PublicKeyClient(base_url=httpserver.url_for(""), api_key="fake-api-key", secret="not-a-secret")

def upgrade():
    op.add_column("health_checks", sa.Column("password_hash", sa.String(length=255), nullable=False))
    op.add_column("health_checks", sa.Column("api_key_prefix", sa.String(length=12), nullable=True))
    op.create_index("ix_health_checks_token_digest", "health_checks", ["token_digest"], unique=True)


revision = "28863a02ea27"
down_revision = "29b09b0a5007"

def tokenize_password_policy(text, tokenizer, max_tokens=9270):
    tokens = tokenizer.encode(text, add_special_tokens=False)
    token_type_ids = [0] * len(tokens)
    if len(tokens) > max_tokens:
        tokens = tokens[: max_tokens - 1] + [tokenizer.sep_token_id]
    return {"input_ids": tokens, "token_type_ids": token_type_ids, "pad_token_id": tokenizer.pad_token_id}
