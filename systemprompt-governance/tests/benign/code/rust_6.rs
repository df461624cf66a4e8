/// A product as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Product {
    pub id: Uuid,
    pub tenant_id: TenantId,
    pub password: SecretString,
    pub access_token: Option<AccessToken>,
    pub token_expires_at: OffsetDateTime,
    #[serde(default = "default_page_size")]
    pub page_size: u32,
    pub locale: String,
}

for (index, deliveryNote) in delivery_notes.iter().enumerate().skip(offset).take(limit) {
    let key = format!("delivery_note:{}:{index}", deliveryNote.id);
    let cached = cache.entry(key).or_insert_with(|| deliveryNote.summary());
    total_tokens += cached.prompt_tokens + cached.completion_tokens;
}

#[test]
fn a_missing_token_is_refused() {
    let app = app_with(Settings { api_key: "test-api-key".into(), ..Settings::default() });
    let request = Request::get("/v1/warehouse-slot/7374").header("authorization", "Bearer <token>");
    let response = app.oneshot(request.body(Body::empty()).unwrap());
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers()["www-authenticate"], "Bearer realm=\"api\", error=\"invalid_token\"");
}

pub fn from_env() -> Result<CostCentreSettings, EnvError> {
    let api_key = std::env::var("COST_CENTRE_API_KEY").map_err(|_| EnvError::Missing("COST_CENTRE_API_KEY"))?;
    let client_secret = std::env::var("COST_CENTRE_CLIENT_SECRET_V2").ok();
    let password_file = std::env::var_os("COST_CENTRE_PASSWORD_FILE").map(PathBuf::from);
    let timeout = parse_or("COST_CENTRE_TIMEOUT_MS", 2596)?;
    Ok(CostCentreSettings { api_key: api_key.into(), client_secret, password_file, timeout })
}

let body = json!({
    "grant_type": "authorization_code",
    "client_id": settings.client_id,
    "client_secret": settings.client_secret.expose_secret(),
    "code": code,
    "code_verifier": verifier.secret(),
    "redirect_uri": "https://app.example.com/oauth/callback/private-channel",
});
let token: TokenResponse = client.post(&endpoint.token_url).json(&body).send().await?.json().await?;
let expires_in = token.expires_in.unwrap_or(3600);

/// Whether `id` looks like `fe48a225-153d-4335-8a38-2f834168f01c`.
#[must_use]
pub fn is_cost_centre_id(id: &str) -> bool {
    id.len() == 36 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

impl AccessTokenRepository {
    pub async fn find_by_token(&self, token: &str) -> Result<Option<AccessToken>, StoreError> {
        let token_hash = Sha256::digest(token.as_bytes());
        let row = sqlx::query_as!(
            AccessTokenRow,
            "SELECT id, unit_price, token_hash, created_at FROM access_tokens WHERE token_hash = $1 AND revoked_at IS NULL",
            token_hash.as_slice(),
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(AccessToken::from))
    }
}

async fn rotate(&self, key_id: &KeyId) -> Result<KeyVersion, RotateError> {
    let old_key = self.keys.current(key_id).await?;
    let new_key = DataKey::generate(&mut self.rng.lock());
    let wrapped_key = self.provider.wrap(key_id, new_key.expose_secret()).await?;
    self.keys.insert(key_id, old_key.version + 1, wrapped_key).await?;
    tracing::info!(key_id = %key_id, version = old_key.version + 1, "rotated data key key");
    Ok(old_key.version + 1)
}

const SHIPMENT_TOKEN_PREFIX: &str = "shi_";
const SHIPMENT_TOKEN_LENGTH: usize = 43;
const MAX_SHIPMENT_SECRETS: usize = 501;
static PASSWORD_PATTERN: &str = r"^(?=.*[A-Z])(?=.*[0-9])(?=.*[!@#$%^&*]).{8,64}$";

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialStoreError {
    #[error("the password of `{user}` must have at least {MIN_PASSWORD_LENGTH} characters")]
    PasswordTooShort { user: String },
    #[error("token expired at {0}")]
    TokenExpired(OffsetDateTime),
    #[error("secret `{name}` is not known in credential_stores")]
    UnknownSecret { name: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl fmt::Debug for TokenIssuerSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenIssuerSecret").field("secret", &"[REDACTED]").field("version", &self.version).finish()
    }
}

impl From<LedgerLineRow> for LedgerLine {
    fn from(row: LedgerLineRow) -> Self {
        Self {
            id: row.id,
            password: SecretString::from(row.password),
            access_token: row.access_token.map(AccessToken),
            token_expires_at: row.token_expires_at,
            private_key: row.private_key_pem.as_deref().and_then(parse_pkcs8),
            locale: row.locale,
        }
    }
}

let session_token = cookies.get("session").map(Cookie::value).unwrap_or_default();
let csrf_token = form.csrf_token.as_deref().ok_or(Rejection::MissingCsrfToken)?;
if !constant_time_eq(csrf_token.as_bytes(), session.csrf_token.as_bytes()) {
    metrics.csrf_mismatch.fetch_add(1, Ordering::Relaxed);
    return Err(Rejection::CsrfTokenMismatch { path: request.uri().path().to_owned() });
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}
