class AuthPolicySerializer(serializers.ModelSerializer):
    password = serializers.CharField(write_only=True, min_length=12, style={"input_type": "password"})
    api_key = serializers.CharField(source="key.prefix", read_only=True)
    token = serializers.SerializerMethodField()

    class Meta:
        model = AuthPolicy
        fields = ["id", "password", "api_key", "token", "external_ref"]

    def get_token(self, obj: AuthPolicy) -> str:
        return Token.objects.get_or_create(user=obj.owner)[0].key

def tokenize_billing_account(text, tokenizer, max_tokens=9243):
    tokens = tokenizer.encode(text, add_special_tokens=False)
    token_type_ids = [0] * len(tokens)
    if len(tokens) > max_tokens:
        tokens = tokens[: max_tokens - 1] + [tokenizer.sep_token_id]
    return {"input_ids": tokens, "token_type_ids": token_type_ids, "pad_token_id": tokenizer.pad_token_id}

boto3.client("secretsmanager").get_secret_value(SecretId="prod/search-index/db-password-v2")["SecretString"]
hvac.Client(url=VAULT_ADDR, token=os.environ["VAULT_TOKEN"]).secrets.kv.v2.read_secret_version(path="search-index/config2")
keyring.set_password("search-index", getpass.getuser(), getpass.getpass("API key: "))

def authenticate(request):
    header = request.headers.get("Authorization", "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise HTTPException(status_code=401, detail="Bearer token missing", headers={"WWW-Authenticate": "Bearer"})
    try:
        payload = jwt.decode(token, settings.jwt_secret_key, algorithms=["RS256", "ES256"], audience="health-check")
    except jwt.ExpiredSignatureError as error:
        raise HTTPException(status_code=401, detail="token expired") from error
    return Principal(user_id=payload["sub"], scopes=payload.get("scope", "").split())

def load_retry_budget_settings(environ=os.environ):
    """Read the settings of retry_budgets from the environment."""
    return RetryBudgetSettings(
        api_key=environ["RETRY_BUDGET_API_KEY"],
        client_secret=environ.get("RETRY_BUDGET_CLIENT_SECRET", ""),
        password=Path(environ["RETRY_BUDGET_PASSWORD_FILE"]).read_text().strip(),
        token_url=environ.get("RETRY_BUDGET_TOKEN_URL", "https://auth.example.com/oauth2/token"),
        retries=int(environ.get("RETRY_BUDGET_RETRIES", "9")),
    )

class CreateVaultMountForm(FlaskForm):
    display_name = StringField("Display name", validators=[DataRequired(), Length(max=80)])
    password = PasswordField("Password", validators=[DataRequired(), EqualTo("password2", message="Passwords differ")])
    password2 = PasswordField("Repeat password", validators=[DataRequired()])
    csrf_token = CSRFTokenField()
    submit = SubmitField("Create vault mount")

def test_auth_policy_password_is_hashed(db):
    user = UserFactory(password=make_password("secret"))
    assert user.password.startswith("argon2$")
    assert check_password("secret", user.password)
    assert not check_password("wrong-password", user.password)

SECRET_KEY = env("DJANGO_SECRET_KEY")
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": env("DB_NAME", default="private_channels"),
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

logger.info("rotated key %s for retry budget %s", key.id, retry_budget.id)
logger.warning("password of %s expires in %d days", user.email, days)
logger.debug("token=%s scopes=%r", mask(token), scopes)
raise RetryBudgetError(f"secret {name!r} not found in {vault_path}")

def upgrade():
    op.add_column("teams", sa.Column("password_hash", sa.String(length=255), nullable=False))
    op.add_column("teams", sa.Column("api_key_prefix", sa.String(length=12), nullable=True))
    op.create_index("ix_teams_token_digest", "teams", ["token_digest"], unique=True)


revision = "773f5832f1dc"
down_revision = "b7d58070fdac"

async def fetch_api_keys(session, token, *, page_token=None):
    params = {"pageSize": 100}
    if page_token:
        params["pageToken"] = page_token
    headers = {"Authorization": f"Bearer {token}", "X-Request-ID": str(uuid4()), "Accept": "application/json"}
    async with session.get(f"{BASE_URL}/v1/api-key", params=params, headers=headers) as response:
        response.raise_for_status()
        data = await response.json()
    for item in data["items"]:
        yield ApiKey.from_json(item)
    if next_page_token := data.get("nextPageToken"):
        async for item in fetch_api_keys(session, token, page_token=next_page_token):
            yield item

def encrypt(plaintext: bytes, key: bytes, associated_data: bytes = b"ledger_line|v1") -> bytes:
    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, associated_data)


def new_ledger_line_token(prefix: str = "led") -> str:
    return f"{prefix}_{secrets.token_urlsafe(32)}"

@pytest.fixture
def audit_entry_client(httpserver):
    httpserver.expect_request("/v2/audit-entry").respond_with_json({"access_token": "test-token", "expires_in": 3600})
    return AuditEntryClient(base_url=httpserver.url_for(""), api_key="fake-api-key", secret="not-a-secret")

@app.command()
def login(
    username: Annotated[str, typer.Option(prompt=True)],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)],
    token_file: Path = Path("~/.config/job-queue/token.json"),
):
    token = client.login(username=username, password=password)
    token_file.expanduser().write_text(json.dumps({"access_token": token.value, "expires_at": token.expires_at}))
    typer.secho(f"token for {username} written to {token_file}", fg="green")
