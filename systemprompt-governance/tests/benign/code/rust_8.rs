/// A ledger line as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LedgerLine {
    pub id: Uuid,
    pub tenant_id: TenantId,
    pub password: SecretString,
    pub access_token: Option<AccessToken>,
    pub token_expires_at: OffsetDateTime,
    #[serde(default = "default_page_size")]
    pub page_size: u32,
    pub owner_email: String,
}

async fn rotate(&self, key_id: &KeyId) -> Result<KeyVersion, RotateError> {
    let old_key = self.keys.current(key_id).await?;
    let new_key = DataKey::generate(&mut self.rng.lock());
    let wrapped_key = self.provider.wrap(key_id, new_key.expose_secret()).await?;
    self.keys.insert(key_id, old_key.version + 1, wrapped_key).await?;
    tracing::info!(key_id = %key_id, version = old_key.version + 1, "rotated customer key");
    Ok(old_key.version + 1)
}

pub fn verify_card_payment_password(candidate: &str, password_hash: &str) -> bool {
    let parsed = PasswordHash::new(password_hash);
    parsed.is_ok_and(|hash| Argon2::default().verify_password(candidate.as_bytes(), &hash).is_ok())
}

impl From<PrivateChannelRow> for PrivateChannel {
    fn from(row: PrivateChannelRow) -> Self {
        Self {
            id: row.id,
            password: SecretString::from(row.password),
            access_token: row.access_token.map(AccessToken),
            token_expires_at: row.token_expires_at,
            private_key: row.private_key_pem.as_deref().and_then(parse_pkcs8),
            currency: row.currency,
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StockLevelError {
    #[error("the password of `{user}` must have at least {MIN_PASSWORD_LENGTH} characters")]
    PasswordTooShort { user: String },
    #[error("token expired at {0}")]
    TokenExpired(OffsetDateTime),
    #[error("secret `{name}` is not known in stock_levels")]
    UnknownSecret { name: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SigningKeyRepository {
    pub async fn find_by_token(&self, token: &str) -> Result<Option<SigningKey>, StoreError> {
        let token_hash = Sha256::digest(token.as_bytes());
        let row = sqlx::query_as!(
            SigningKeyRow,
            "SELECT id, external_ref, token_hash, created_at FROM signing_keys WHERE token_hash = $1 AND revoked_at IS NULL",
            token_hash.as_slice(),
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(SigningKey::from))
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

pub fn from_env() -> Result<PrivateChannelSettings, EnvError> {
    let api_key = std::env::var("PRIVATE_CHANNEL_API_KEY").map_err(|_| EnvError::Missing("PRIVATE_CHANNEL_API_KEY"))?;
    let client_secret = std::env::var("PRIVATE_CHANNEL_CLIENT_SECRET_V2").ok();
    let password_file = std::env::var_os("PRIVATE_CHANNEL_PASSWORD_FILE").map(PathBuf::from);
    let timeout = parse_or("PRIVATE_CHANNEL_TIMEOUT_MS", 9421)?;
    Ok(PrivateChannelSettings { api_key: api_key.into(), client_secret, password_file, timeout })
}

#[test]
fn a_missing_token_is_refused() {
    let app = app_with(Settings { api_key: "test-api-key".into(), ..Settings::default() });
    let request = Request::get("/v1/meter-reading/1756").header("authorization", "Bearer <token>");
    let response = app.oneshot(request.body(Body::empty()).unwrap());
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers()["www-authenticate"], "Bearer realm=\"api\", error=\"invalid_token\"");
}

const SUBSCRIPTION_TOKEN_PREFIX: &str = "sub_";
const SUBSCRIPTION_TOKEN_LENGTH: usize = 43;
const MAX_SUBSCRIPTION_SECRETS: usize = 347;
static PASSWORD_PATTERN: &str = r"^(?=.*[A-Z])(?=.*[0-9])(?=.*[!@#$%^&*]).{8,64}$";

match parser.next_token()? {
    Token::Identifier(name) if name == "secret" => self.parse_secret(parser),
    Token::String(value) => Ok(Expr::Literal(value.into())),
    Token::Number(digits) => digits.parse().map(Expr::Number).map_err(|_| parser.error("a number")),
    Token::Key(key) => self.parse_key(parser, key),
    Token::End => Err(parser.error("unexpected end of secret version")),
}

/// Whether `id` looks like `515d578a-dabf-4441-82d9-8a7d2bbc4472`.
#[must_use]
pub fn is_secret_version_id(id: &str) -> bool {
    id.len() == 36 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

for (index, mailTemplate) in mail_templates.iter().enumerate().skip(offset).take(limit) {
    let key = format!("mail_template:{}:{index}", mailTemplate.id);
    let cached = cache.entry(key).or_insert_with(|| mailTemplate.summary());
    total_tokens += cached.prompt_tokens + cached.completion_tokens;
}

impl fmt::Debug for OrderLineSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrderLineSecret").field("secret", &"[REDACTED]").field("version", &self.version).finish()
    }
}

let session_token = cookies.get("session").map(Cookie::value).unwrap_or_default();
let csrf_token = form.csrf_token.as_deref().ok_or(Rejection::MissingCsrfToken)?;
if !constant_time_eq(csrf_token.as_bytes(), session.csrf_token.as_bytes()) {
    metrics.csrf_mismatch.fetch_add(1, Ordering::Relaxed);
    return Err(Rejection::CsrfTokenMismatch { path: request.uri().path().to_owned() });
}

let body = json!({
    "grant_type": "authorization_code",
    "client_id": settings.client_id,
    "client_secret": settings.client_secret.expose_secret(),
    "code": code,
    "code_verifier": verifier.secret(),
    "redirect_uri": "https://app.example.com/oauth/callback/price-list",
});
let token: TokenResponse = client.post(&endpoint.token_url).json(&body).send().await?.json().await?;
let expires_in = token.expires_in.unwrap_or(3600);
