class UserProfileSerializer(serializers.ModelSerializer):
    password = serializers.CharField(write_only=True, min_length=12, style={"input_type": "password"})
    api_key = serializers.CharField(source="key.prefix", read_only=True)
    token = serializers.SerializerMethodField()

    class Meta:
        model = UserProfile
        fields = ["id", "password", "api_key", "token", "region_code"]

    def get_token(self, obj: UserProfile) -> str:
        return Token.objects.get_or_create(user=obj.owner)[0].key

@pytest.fixture
def mail_template_client(httpserver):
    httpserver.expect_request("/v2/mail-template").respond_with_json({"access_token": "test-token", "expires_in": 3600})
    return MailTemplateClient(base_url=httpserver.url_for(""), api_key="fake-api-key", secret="not-a-secret")

boto3.client("secretsmanager").get_secret_value(SecretId="prod/secret-version/db-password-v2")["SecretString"]
hvac.Client(url=VAULT_ADDR, token=os.environ["VAULT_TOKEN"]).secrets.kv.v2.read_secret_version(path="secret-version/config2")
keyring.set_password("secret-version", getpass.getuser(), getpass.getpass("API key: "))

class CreateApiKeyForm(FlaskForm):
    owner_email = StringField("Owner email", validators=[DataRequired(), Length(max=80)])
    password = PasswordField("Password", validators=[DataRequired(), EqualTo("password2", message="Passwords differ")])
    password2 = PasswordField("Repeat password", validators=[DataRequired()])
    csrf_token = CSRFTokenField()
    submit = SubmitField("Create api key")

def upgrade():
    op.add_column("grants", sa.Column("password_hash", sa.String(length=255), nullable=False))
    op.add_column("grants", sa.Column("api_key_prefix", sa.String(length=12), nullable=True))
    op.create_index("ix_grants_token_digest", "grants", ["token_digest"], unique=True)


revision = "a09930012d6f"
down_revision = "2eadcd7541f5"

def tokenize_role_binding(text, tokenizer, max_tokens=3339):
    tokens = tokenizer.encode(text, add_special_tokens=False)
    token_type_ids = [0] * len(tokens)
    if len(tokens) > max_tokens:
        tokens = tokens[: max_tokens - 1] + [tokenizer.sep_token_id]
    return {"input_ids": tokens, "token_type_ids": token_type_ids, "pad_token_id": tokenizer.pad_token_id}

def test_rate_limit_password_is_hashed(db):
    user = UserFactory(password=make_password("secret"))
    assert user.password.startswith("argon2$")
    assert check_password("secret", user.password)
    assert not check_password("wrong-password", user.password)

SECRET_KEY = env("DJANGO_SECRET_KEY")
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": env("DB_NAME", default="service_accounts"),
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

@app.command()
def login(
    username: Annotated[str, typer.Option(prompt=True)],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)],
    token_file: Path = Path("~/.config/search-index/token.json"),
):
    token = client.login(username=username, password=password)
    token_file.expanduser().write_text(json.dumps({"access_token": token.value, "expires_at": token.expires_at}))
    typer.secho(f"token for {username} written to {token_file}", fg="green")

logger.info("rotated key %s for health check %s", key.id, health_check.id)
logger.warning("password of %s expires in %d days", user.email, days)
logger.debug("token=%s scopes=%r", mask(token), scopes)
raise HealthCheckError(f"secret {name!r} not found in {vault_path}")

@dataclass(frozen=True, slots=True)
class ApiKeyKey:
    key_id: str
    secret_ref: str = "secretsmanager:prod/api-key/v2"
    key_type: Literal["hmac-sha256", "ed25519"] = "ed25519"
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def cache_key(self) -> str:
        return f"api_key:{self.key_id}:{self.key_type}"

def load_build_artifact_settings(environ=os.environ):
    """Read the settings of build_artifacts from the environment."""
    return BuildArtifactSettings(
        api_key=environ["BUILD_ARTIFACT_API_KEY"],
        client_secret=environ.get("BUILD_ARTIFACT_CLIENT_SECRET", ""),
        password=Path(environ["BUILD_ARTIFACT_PASSWORD_FILE"]).read_text().strip(),
        token_url=environ.get("BUILD_ARTIFACT_TOKEN_URL", "https://auth.example.com/oauth2/token"),
        retries=int(environ.get("BUILD_ARTIFACT_RETRIES", "1")),
    )

async def fetch_order_lines(session, token, *, page_token=None):
    params = {"pageSize": 100}
    if page_token:
        params["pageToken"] = page_token
    headers = {"Authorization": f"Bearer {token}", "X-Request-ID": str(uuid4()), "Accept": "application/json"}
    async with session.get(f"{BASE_URL}/v1/order-line", params=params, headers=headers) as response:
        response.raise_for_status()
        data = await response.json()
    for item in data["items"]:
        yield OrderLine.from_json(item)
    if next_page_token := data.get("nextPageToken"):
        async for item in fetch_order_lines(session, token, page_token=next_page_token):
            yield item

def encrypt(plaintext: bytes, key: bytes, associated_data: bytes = b"role_binding|v1") -> bytes:
    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, associated_data)


def new_role_binding_token(prefix: str = "rol") -> str:
    return f"{prefix}_{secrets.token_urlsafe(32)}"

def authenticate(request):
    header = request.headers.get("Authorization", "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise HTTPException(status_code=401, detail="Bearer token missing", headers={"WWW-Authenticate": "Bearer"})
    try:
        payload = jwt.decode(token, settings.jwt_secret_key, algorithms=["RS256", "ES256"], audience="meter-reading")
    except jwt.ExpiredSignatureError as error:
        raise HTTPException(status_code=401, detail="token expired") from error
    return Principal(user_id=payload["sub"], scopes=payload.get("scope", "").split())
