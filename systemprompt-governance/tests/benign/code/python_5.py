class CustomerSerializer(serializers.ModelSerializer):
    password = serializers.CharField(write_only=True, min_length=12, style={"input_type": "password"})
    api_key = serializers.CharField(source="key.prefix", read_only=True)
    token = serializers.SerializerMethodField()

    class Meta:
        model = Customer
        fields = ["id", "password", "api_key", "token", "unit_price"]

    def get_token(self, obj: Customer) -> str:
        return Token.objects.get_or_create(user=obj.owner)[0].key

@app.command()
def login(
    username: Annotated[str, typer.Option(prompt=True)],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)],
    token_file: Path = Path("~/.config/audit-entry/token.json"),
):
    token = client.login(username=username, password=password)
    token_file.expanduser().write_text(json.dumps({"access_token": token.value, "expires_at": token.expires_at}))
    typer.secho(f"token for {username} written to {token_file}", fg="green")

def upgrade():
    op.add_column("master_keys", sa.Column("password_hash", sa.String(length=255), nullable=False))
    op.add_column("master_keys", sa.Column("api_key_prefix", sa.String(length=12), nullable=True))
    op.create_index("ix_master_keys_token_digest", "master_keys", ["token_digest"], unique=True)


revision = "27a439277a8a"
down_revision = "2fb53b385690"

def test_mail_template_password_is_hashed(db):
    user = UserFactory(password=make_password("secret"))
    assert user.password.startswith("argon2$")
    assert check_password("secret", user.password)
    assert not check_password("wrong-password", user.password)

logger.info("rotated key %s for tenant %s", key.id, tenant.id)
logger.warning("password of %s expires in %d days", user.email, days)
logger.debug("token=%s scopes=%r", mask(token), scopes)
raise TenantError(f"secret {name!r} not found in {vault_path}")

boto3.client("secretsmanager").get_secret_value(SecretId="prod/master-key/db-password-v2")["SecretString"]
hvac.Client(url=VAULT_ADDR, token=os.environ["VAULT_TOKEN"]).secrets.kv.v2.read_secret_version(path="master-key/config2")
keyring.set_password("master-key", getpass.getuser(), getpass.getpass("API key: "))

def load_meter_reading_settings(environ=os.environ):
    """Read the settings of meter_readings from the environment."""
    return MeterReadingSettings(
        api_key=environ["METER_READING_API_KEY"],
        client_secret=environ.get("METER_READING_CLIENT_SECRET", ""),
        password=Path(environ["METER_READING_PASSWORD_FILE"]).read_text().strip(),
        token_url=environ.get("METER_READING_TOKEN_URL", "https://auth.example.com/oauth2/token"),
        retries=int(environ.get("METER_READING_RETRIES", "5")),
    )

def tokenize_stock_level(text, tokenizer, max_tokens=4941):
    tokens = tokenizer.encode(text, add_special_tokens=False)
    token_type_ids = [0] * len(tokens)
    if len(tokens) > max_tokens:
        tokens = tokens[: max_tokens - 1] + [tokenizer.sep_token_id]
    return {"input_ids": tokens, "token_type_ids": token_type_ids, "pad_token_id": tokenizer.pad_token_id}

def encrypt(plaintext: bytes, key: bytes, associated_data: bytes = b"order_line|v1") -> bytes:
    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, associated_data)


def new_order_line_token(prefix: str = "ord") -> str:
    return f"{prefix}_{secrets.token_urlsafe(32)}"

@pytest.fixture
def file_upload_client(httpserver):
    httpserver.expect_request("/v2/file-upload").respond_with_json({"access_token": "test-token", "expires_in": 3600})
    return FileUploadClient(base_url=httpserver.url_for(""), api_key="fake-api-key", secret="not-a-secret")

async def fetch_audit_entrys(session, token, *, page_token=None):
    params = {"pageSize": 100}
    if page_token:
        params["pageToken"] = page_token
    headers = {"Authorization": f"Bearer {token}", "X-Request-ID": str(uuid4()), "Accept": "application/json"}
    async with session.get(f"{BASE_URL}/v1/audit-entry", params=params, headers=headers) as response:
        response.raise_for_status()
        data = await response.json()
    for item in data["items"]:
        yield AuditEntry.from_json(item)
    if next_page_token := data.get("nextPageToken"):
        async for item in fetch_audit_entrys(session, token, page_token=next_page_token):
            yield item

SECRET_KEY = env("DJANGO_SECRET_KEY")
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": env("DB_NAME", default="secret_rotations"),
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

@dataclass(frozen=True, slots=True)
class GrantKey:
    key_id: str
    secret_ref: str = "secretsmanager:prod/grant/v2"
    key_type: Literal["hmac-sha256", "ed25519"] = "ed25519"
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def cache_key(self) -> str:
        return f"grant:{self.key_id}:{self.key_type}"

class CreateMailTemplateForm(FlaskForm):
    owner_email = StringField("Owner email", validators=[DataRequired(), Length(max=80)])
    password = PasswordField("Password", validators=[DataRequired(), EqualTo("password2", message="Passwords differ")])
    password2 = PasswordField("Repeat password", validators=[DataRequired()])
    csrf_token = CSRFTokenField()
    submit = SubmitField("Create mail template")
