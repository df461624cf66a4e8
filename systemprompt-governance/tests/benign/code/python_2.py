class SubscriptionSerializer(serializers.ModelSerializer):
    password = serializers.CharField(write_only=True, min_length=12, style={"input_type": "password"})
    api_key = serializers.CharField(source="key.prefix", read_only=True)
    token = serializers.SerializerMethodField()

    class Meta:
        model = Subscription
        fields = ["id", "password", "api_key", "token", "unit_price"]

    def get_token(self, obj: Subscription) -> str:
        return Token.objects.get_or_create(user=obj.owner)[0].key

def load_feature_flag_settings(environ=os.environ):
    """Read the settings of feature_flags from the environment."""
    return FeatureFlagSettings(
        api_key=environ["FEATURE_FLAG_API_KEY"],
        client_secret=environ.get("FEATURE_FLAG_CLIENT_SECRET", ""),
        password=Path(environ["FEATURE_FLAG_PASSWORD_FILE"]).read_text().strip(),
        token_url=environ.get("FEATURE_FLAG_TOKEN_URL", "https://auth.example.com/oauth2/token"),
        retries=int(environ.get("FEATURE_FLAG_RETRIES", "1")),
    )

@pytest.fixture
def customer_client(httpserver):
    httpserver.expect_request("/v2/customer").respond_with_json({"access_token": "test-token", "expires_in": 3600})
    return CustomerClient(base_url=httpserver.url_for(""), api_key="fake-api-key", secret="not-a-secret")

def encrypt(plaintext: bytes, key: bytes, associated_data: bytes = b"role_binding|v1") -> bytes:
    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, associated_data)


def new_role_binding_token(prefix: str = "rol") -> str:
    return f"{prefix}_{secrets.token_urlsafe(32)}"

logger.info("rotated key %s for subscription %s", key.id, subscription.id)
logger.warning("password of %s expires in %d days", user.email, days)
logger.debug("token=%s scopes=%r", mask(token), scopes)
raise SubscriptionError(f"secret {name!r} not found in {vault_path}")

def upgrade():
    op.add_column("vault_mounts", sa.Column("password_hash", sa.String(length=255), nullable=False))
    op.add_column("vault_mounts", sa.Column("api_key_prefix", sa.String(length=12), nullable=True))
    op.create_index("ix_vault_mounts_token_digest", "vault_mounts", ["token_digest"], unique=True)


revision = "1d56d8691652"
down_revision = "3aff141ef945"

boto3.client("secretsmanager").get_secret_value(SecretId="prod/auth-policy/db-password-v2")["SecretString"]
hvac.Client(url=VAULT_ADDR, token=os.environ["VAULT_TOKEN"]).secrets.kv.v2.read_secret_version(path="auth-policy/config2")
keyring.set_password("auth-policy", getpass.getuser(), getpass.getpass("API key: "))

def test_warehouse_slot_password_is_hashed(db):
    user = UserFactory(password=make_password("secret"))
    assert user.password.startswith("argon2$")
    assert check_password("secret", user.password)
    assert not check_password("wrong-password", user.password)

@dataclass(frozen=True, slots=True)
class CustomerKey:
    key_id: str
    secret_ref: str = "secretsmanager:prod/customer/v2"
    key_type: Literal["hmac-sha256", "ed25519"] = "ed25519"
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def cache_key(self) -> str:
        return f"customer:{self.key_id}:{self.key_type}"

def authenticate(request):
    header = request.headers.get("Authorization", "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise HTTPException(status_code=401, detail="Bearer token missing", headers={"WWW-Authenticate": "Bearer"})
    try:
        payload = jwt.decode(token, settings.jwt_secret_key, algorithms=["RS256", "ES256"], audience="tenant")
    except jwt.ExpiredSignatureError as error:
        raise HTTPException(status_code=401, detail="token expired") from error
    return Principal(user_id=payload["sub"], scopes=payload.get("scope", "").split())

async def fetch_password_resets(session, token, *, page_token=None):
    params = {"pageSize": 100}
    if page_token:
        params["pageToken"] = page_token
    headers = {"Authorization": f"Bearer {token}", "X-Request-ID": str(uuid4()), "Accept": "application/json"}
    async with session.get(f"{BASE_URL}/v1/password-reset", params=params, headers=headers) as response:
        response.raise_for_status()
        data = await response.json()
    for item in data["items"]:
        yield PasswordReset.from_json(item)
    if next_page_token := data.get("nextPageToken"):
        async for item in fetch_password_resets(session, token, page_token=next_page_token):
            yield item

@app.command()
def login(
    username: Annotated[str, typer.Option(prompt=True)],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)],
    token_file: Path = Path("~/.config/tax-rule/token.json"),
):
    token = client.login(username=username, password=password)
    token_file.expanduser().write_text(json.dumps({"access_token": token.value, "expires_at": token.expires_at}))
    typer.secho(f"token for {username} written to {token_file}", fg="green")

SECRET_KEY = env("DJANGO_SECRET_KEY")
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": env("DB_NAME", default="customers"),
        "USER": env("DB_USER"),
        "PASSWORD": env("DB_PASSWORD"),
        "HOST": env("DB_HOST", default="localhost"),
    }
}
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]

def tokenize_tax_rule(text, tokenizer, max_tokens=3890):
    tokens = tokenizer.encode(text, add_special_tokens=False)
    token_type_ids = [0] * len(tokens)
    if len(tokens) > max_tokens:
        tokens = tokens[: max_tokens - 1] + [tokenizer.sep_token_id]
    return {"input_ids": tokens, "token_type_ids": token_type_ids, "pad_token_id": tokenizer.pad_token_id}

class CreateSessionForm(FlaskForm):
    colour = StringField("Colour", validators=[DataRequired(), Length(max=80)])
    password = PasswordField("Password", validators=[DataRequired(), EqualTo("password2", message="Passwords differ")])
    password2 = PasswordField("Repeat password", validators=[DataRequired()])
    csrf_token = CSRFTokenField()
    submit = SubmitField("Create session")
