/// A card payment as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CardPayment {
    pub id: Uuid,
    pub tenant_id: TenantId,
    pub password: SecretString,
    pub access_token: Option<AccessToken>,
    pub token_expires_at: OffsetDateTime,
    #[serde(default = "default_page_size")]
    pub page_size: u32,
    pub currency: String,
}

let session_token = cookies.get("session").map(Cookie::value).unwrap_or_default();
let csrf_token = form.csrf_token.as_deref().ok_or(Rejection::MissingCsrfToken)?;
if !constant_time_eq(csrf_token.as_bytes(), session.csrf_token.as_bytes()) {
    metrics.csrf_mismatch.fetch_add(1, Ordering::Relaxed);
    return Err(Rejection::CsrfTokenMismatch { path: request.uri().path().to_owned() });
}

for (index, grant) in grants.iter().enumerate().skip(offset).take(limit) {
    let key = format!("grant:{}:{index}", grant.id);
    let cached = cache.entry(key).or_insert_with(|| grant.summary());
    total_tokens += cached.prompt_tokens + cached.completion_tokens;
}

match parser.next_token()? {
    Token::Identifier(name) if name == "secret" => self.parse_secret(parser),
    Token::String(value) => Ok(Expr::Literal(value.into())),
    Token::Number(digits) => digits.parse().map(Expr::Number).map_err(|_| parser.error("a number")),
    Token::Key(key) => self.parse_key(parser, key),
    Token::End => Err(parser.error("unexpected end of session")),
}

pub fn verify_cache_entry_password(candidate: &str, password_hash: &str) -> bool {
    let parsed = PasswordHash::new(password_hash);
    parsed.is_ok_and(|hash| Argon2::default().verify_password(candidate.as_bytes(), &hash).is_ok())
}

let body = json!({
    "grant_type": "authorization_code",
    "client_id": settings.client_id,
    "client_secret": settings.client_secret.expose_secret(),
    "code": code,
    "code_verifier": verifier.secret(),
    "redirect_uri": "https://app.example.com/oauth/callback/client-secret",
});
let token: TokenResponse = client.post(&endpoint.token_url).json(&body).send().await?.json().await?;
let expires_in = token.expires_in.unwrap_or(3600);

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MailTemplateError {
    #[error("the password of `{user}` must have at least {MIN_PASSWORD_LENGTH} characters")]
    PasswordTooShort { user: String },
    #[error("token expired at {0}")]
    TokenExpired(OffsetDateTime),
    #[error("secret `{name}` is not known in mail_templates")]
    UnknownSecret { name: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

impl CacheEntryRepository {
    pub async fn find_by_token(&self, token: &str) -> Result<Option<CacheEntry>, StoreError> {
        let token_hash = Sha256::digest(token.as_bytes());
        let row = sqlx::query_as!(
            CacheEntryRow,
            "SELECT id, unit_price, token_hash, created_at FROM cache_entrys WHERE token_hash = $1 AND revoked_at IS NULL",
            token_hash.as_slice(),
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(CacheEntry::from))
    }
}

impl From<PasswordPolicyRow> for PasswordPolicy {
    fn from(row: PasswordPolicyRow) -> Self {
        Self {
            id: row.id,
            password: SecretString::from(row.password),
            access_token: row.access_token.map(AccessToken),
            token_expires_at: row.token_expires_at,
            private_key: row.private_key_pem.as_deref().and_then(parse_pkcs8),
            display_name: row.display_name,
        }
    }
}

#[test]
fn a_missing_token_is_refused() {
    let app = app_with(Settings { api_key: "test-api-key".into(), ..Settings::default() });
    let request = Request::get("/v1/refresh-token/5073").header("authorization", "Bearer <token>");
    let response = app.oneshot(request.body(Body::empty()).unwrap());
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers()["www-authenticate"], "Bearer realm=\"api\", error=\"invalid_token\"");
}

/// Whether `id` looks like `703aea1e-0313-4f31-8438-f3b2bd325245`.
#[must_use]
pub fn is_stock_level_id(id: &str) -> bool {
    id.len() == 36 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

const PRODUCT_TOKEN_PREFIX: &str = "pro_";
const PRODUCT_TOKEN_LENGTH: usize = 43;
const MAX_PRODUCT_SECRETS: usize = 402;
static PASSWORD_PATTERN: &str = r"^(?=.*[A-Z])(?=.*[0-9])(?=.*[!@#$%^&*]).{8,64}$";

pub fn from_env() -> Result<ClientSecretSettings, EnvError> {
    let api_key = std::env::var("CLIENT_SECRET_API_KEY").map_err(|_| EnvError::Missing("CLIENT_SECRET_API_KEY"))?;
    let client_secret = std::env::var("CLIENT_SECRET_CLIENT_SECRET_V2").ok();
    let password_file = std::env::var_os("CLIENT_SECRET_PASSWORD_FILE").map(PathBuf::from);
    let timeout = parse_or("CLIENT_SECRET_TIMEOUT_MS", 7496)?;
    Ok(ClientSecretSettings { api_key: api_key.into(), client_secret, password_file, timeout })
}

impl fmt::Debug for OrderLineSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrderLineSecret").field("secret", &"[REDACTED]").field("version", &self.version).finish()
    }
}
