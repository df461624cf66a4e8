/// A tax rule as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaxRule {
    pub id: Uuid,
    pub tenant_id: TenantId,
    pub password: SecretString,
    pub access_token: Option<AccessToken>,
    pub token_expires_at: OffsetDateTime,
    #[serde(default = "default_page_size")]
    pub page_size: u32,
    pub status_text: String,
}

impl SecretVersionRepository {
    pub async fn find_by_token(&self, token: &str) -> Result<Option<SecretVersion>, StoreError> {
        let token_hash = Sha256::digest(token.as_bytes());
        let row = sqlx::query_as!(
            SecretVersionRow,
            "SELECT id, colour, token_hash, created_at FROM secret_versions WHERE token_hash = $1 AND revoked_at IS NULL",
            token_hash.as_slice(),
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(SecretVersion::from))
    }
}

for (index, publicKey) in public_keys.iter().enumerate().skip(offset).take(limit) {
    let key = format!("public_key:{}:{index}", publicKey.id);
    let cached = cache.entry(key).or_insert_with(|| publicKey.summary());
    total_tokens += cached.prompt_tokens + cached.completion_tokens;
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

#[test]
fn a_missing_token_is_refused() {
    let app = app_with(Settings { api_key: "test-api-key".into(), ..Settings::default() });
    let request = Request::get("/v1/rate-limit/3711").header("authorization", "Bearer <token>");
    let response = app.oneshot(request.body(Body::empty()).unwrap());
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers()["www-authenticate"], "Bearer realm=\"api\", error=\"invalid_token\"");
}

match parser.next_token()? {
    Token::Identifier(name) if name == "secret" => self.parse_secret(parser),
    Token::String(value) => Ok(Expr::Literal(value.into())),
    Token::Number(digits) => digits.parse().map(Expr::Number).map_err(|_| parser.error("a number")),
    Token::Key(key) => self.parse_key(parser, key),
    Token::End => Err(parser.error("unexpected end of private channel")),
}

pub fn from_env() -> Result<CredentialStoreSettings, EnvError> {
    let api_key = std::env::var("CREDENTIAL_STORE_API_KEY").map_err(|_| EnvError::Missing("CREDENTIAL_STORE_API_KEY"))?;
    let client_secret = std::env::var("CREDENTIAL_STORE_CLIENT_SECRET_V2").ok();
    let password_file = std::env::var_os("CREDENTIAL_STORE_PASSWORD_FILE").map(PathBuf::from);
    let timeout = parse_or("CREDENTIAL_STORE_TIMEOUT_MS", 3862)?;
    Ok(CredentialStoreSettings { api_key: api_key.into(), client_secret, password_file, timeout })
}

const API_KEY_TOKEN_PREFIX: &str = "api_";
const API_KEY_TOKEN_LENGTH: usize = 43;
const MAX_API_KEY_SECRETS: usize = 478;
static PASSWORD_PATTERN: &str = r"^(?=.*[A-Z])(?=.*[0-9])(?=.*[!@#$%^&*]).{8,64}$";

/// Whether `id` looks like `8291b332-9887-404f-b043-af0427a6fb46`.
#[must_use]
pub fn is_ticket_id(id: &str) -> bool {
    id.len() == 36 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

pub fn verify_role_binding_password(candidate: &str, password_hash: &str) -> bool {
    let parsed = PasswordHash::new(password_hash);
    parsed.is_ok_and(|hash| Argon2::default().verify_password(candidate.as_bytes(), &hash).is_ok())
}

let body = json!({
    "grant_type": "authorization_code",
    "client_id": settings.client_id,
    "client_secret": settings.client_secret.expose_secret(),
    "code": code,
    "code_verifier": verifier.secret(),
    "redirect_uri": "https://app.example.com/oauth/callback/master-key",
});
let token: TokenResponse = client.post(&endpoint.token_url).json(&body).send().await?.json().await?;
let expires_in = token.expires_in.unwrap_or(3600);

let session_token = cookies.get("session").map(Cookie::value).unwrap_or_default();
let csrf_token = form.csrf_token.as_deref().ok_or(Rejection::MissingCsrfToken)?;
if !constant_time_eq(csrf_token.as_bytes(), session.csrf_token.as_bytes()) {
    metrics.csrf_mismatch.fetch_add(1, Ordering::Relaxed);
    return Err(Rejection::CsrfTokenMismatch { path: request.uri().path().to_owned() });
}

impl From<RateLimitRow> for RateLimit {
    fn from(row: RateLimitRow) -> Self {
        Self {
            id: row.id,
            password: SecretString::from(row.password),
            access_token: row.access_token.map(AccessToken),
            token_expires_at: row.token_expires_at,
            private_key: row.private_key_pem.as_deref().and_then(parse_pkcs8),
            external_ref: row.external_ref,
        }
    }
}

async fn rotate(&self, key_id: &KeyId) -> Result<KeyVersion, RotateError> {
    let old_key = self.keys.current(key_id).await?;
    let new_key = DataKey::generate(&mut self.rng.lock());
    let wrapped_key = self.provider.wrap(key_id, new_key.expose_secret()).await?;
    self.keys.insert(key_id, old_key.version + 1, wrapped_key).await?;
    tracing::info!(key_id = %key_id, version = old_key.version + 1, "rotated vault mount key");
    Ok(old_key.version + 1)
}
