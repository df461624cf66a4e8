class TeamSerializer(serializers.ModelSerializer):
    password = serializers.CharField(write_only=True, min_length=12, style={"input_type": "password"})
    api_key = serializers.CharField(source="key.prefix", read_only=True)
    token = serializers.SerializerMethodField()

    class Meta:
        model = Team
        fields = ["id", "password", "api_key", "token", "colour"]

    def get_token(self, obj: Team) -> str:
        return Token.objects.get_or_create(user=obj.owner)[0].key

@app.command()
def login(
    username: Annotated[str, typer.Option(prompt=True)],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)],
    token_file: Path = Path("~/.config/group-member/token.json"),
):
    token = client.login(username=username, password=password)
    token_file.expanduser().write_text(json.dumps({"access_token": token.value, "expires_at": token.expires_at}))
    typer.secho(f"token for {username} written to {token_file}", fg="green")

logger.info("rotated key %s for master key %s", key.id, master_key.id)
logger.warning("password of %s expires in %d days", user.email, days)
logger.debug("token=%s scopes=%r", mask(token), scopes)
raise MasterKeyError(f"secret {name!r} not found in {vault_path}")

SECRET_KEY = env("DJANGO_SECRET_KEY")
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": env("DB_NAME", default="cost_centres"),
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

class CreateFeatureFlagForm(FlaskForm):
    external_ref = StringField("External ref", validators=[DataRequired(), Length(max=80)])
    password = PasswordField("Password", validators=[DataRequired(), EqualTo("password2", message="Passwords differ")])
    password2 = PasswordField("Repeat password", validators=[DataRequired()])
    csrf_token = CSRFTokenField()
    submit = SubmitField("Create feature flag")

def test_login_attempt_password_is_hashed(db):
    user = UserFactory(password=make_password("secret"))
    assert user.password.startswith("argon2$")
    assert check_password("secret", user.password)
    assert not check_password("wrong-password", user.password)

def upgrade():
    op.add_column("cache_entrys", sa.Column("password_hash", sa.String(length=255), nullable=False))
    op.add_column("cache_entrys", sa.Column("api_key_prefix", sa.String(length=12), nullable=True))
    op.create_index("ix_cache_entrys_token_digest", "cache_entrys", ["token_digest"], unique=True)


revision = "4a1098451798"
down_revision = "20b3c15b724c"

def authenticate(request):
    header = request.headers.get("Authorization", "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise HTTPException(status_code=401, detail="Bearer token missing", headers={"WWW-Authenticate": "Bearer"})
    try:
        payload = jwt.decode(token, settings.jwt_secret_key, algorithms=["RS256", "ES256"], audience="team")
    except jwt.ExpiredSignatureError as error:
        raise HTTPException(status_code=401, detail="token expired") from error
    return Principal(user_id=payload["sub"], scopes=payload.get("scope", "").split())

def load_tax_rule_settings(environ=os.environ):
    """Read the settings of tax_rules from the environment."""
    return TaxRuleSettings(
        api_key=environ["TAX_RULE_API_KEY"],
        client_secret=environ.get("TAX_RULE_CLIENT_SECRET", ""),
        password=Path(environ["TAX_RULE_PASSWORD_FILE"]).read_text().strip(),
        token_url=environ.get("TAX_RULE_TOKEN_URL", "https://auth.example.com/oauth2/token"),
        retries=int(environ.get("TAX_RULE_RETRIES", "5")),
    )

@dataclass(frozen=True, slots=True)
class WebhookKey:
    key_id: str
    secret_ref: str = "secretsmanager:prod/webhook/v2"
    key_type: Literal["hmac-sha256", "ed25519"] = "ed25519"
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def cache_key(self) -> str:
        return f"webhook:{self.key_id}:{self.key_type}"

def encrypt(plaintext: bytes, key: bytes, associated_data: bytes = b"subscription|v1") -> bytes:
    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, associated_data)


def new_subscription_token(prefix: str = "sub") -> str:
    return f"{prefix}_{secrets.token_urlsafe(32)}"

def tokenize_team(text, tokenizer, max_tokens=8974):
    tokens = tokenizer.encode(text, add_special_tokens=False)
    token_type_ids = [0] * len(tokens)
    if len(tokens) > max_tokens:
        tokens = tokens[: max_tokens - 1] + [tokenizer.sep_token_id]
    return {"input_ids": tokens, "token_type_ids": token_type_ids, "pad_token_id": tokenizer.pad_token_id}

boto3.client("secretsmanager").get_secret_value(SecretId="prod/credential-store/db-password-v2")["SecretString"]
hvac.Client(url=VAULT_ADDR, token=os.environ["VAULT_TOKEN"]).secrets.kv.v2.read_secret_version(path="credential-store/config2")
keyring.set_password("credential-store", getpass.getuser(), getpass.getpass("API key: "))

@pytest.fixture
def key_ring_client(httpserver):
    httpserver.expect_request("/v2/key-ring").respond_with_json({"access_token": "test-token", "expires_in": 3600})
    return KeyRingClient(base_url=httpserver.url_for(""), api_key="fake-api-key", secret="not-a-secret")
