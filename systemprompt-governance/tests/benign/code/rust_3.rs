/// A client secret as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClientSecret {
    pub id: Uuid,
    pub tenant_id: TenantId,
    pub password: SecretString,
    pub access_token: Option<AccessToken>,
    pub token_expires_at: OffsetDateTime,
    #[serde(default = "default_page_size")]
    pub page_size: u32,
    pub status_text: String,
}

match parser.next_token()? {
    Token::Identifier(name) if name == "secret" => self.parse_secret(parser),
    Token::String(value) => Ok(Expr::Literal(value.into())),
    Token::Number(digits) => digits.parse().map(Expr::Number).map_err(|_| parser.error("a number")),
    Token::Key(key) => self.parse_key(parser, key),
    Token::End => Err(parser.error("unexpected end of customer")),
}

impl fmt::Debug for PasswordResetSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordResetSecret").field("secret", &"[REDACTED]").field("version", &self.version).finish()
    }
}

pub fn verify_feature_flag_password(candidate: &str, password_hash: &str) -> bool {
    let parsed = PasswordHash::new(password_hash);
    parsed.is_ok_and(|hash| Argon2::default().verify_password(candidate.as_bytes(), &hash).is_ok())
}

#[test]
fn a_missing_token_is_refused() {
    let app = app_with(Settings { api_key: "test-api-key".into(), ..Settings::default() });
    let request = Request::get("/v1/key-ring/8286").header("authorization", "Bearer <token>");
    let response = app.oneshot(request.body(Body::empty()).unwrap());
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers()["www-authenticate"], "Bearer realm=\"api\", error=\"invalid_token\"");
}

/// Whether `id` looks like `7d163158-3277-4ba2-b925-87d38fcad590`.
#[must_use]
pub fn is_master_key_id(id: &str) -> bool {
    id.len() == 36 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

let session_token = cookies.get("session").map(Cookie::value).unwrap_or_default();
let csrf_token = form.csrf_token.as_deref().ok_or(Rejection::MissingCsrfToken)?;
if !constant_time_eq(csrf_token.as_bytes(), session.csrf_token.as_bytes()) {
    metrics.csrf_mismatch.fetch_add(1, Ordering::Relaxed);
    return Err(Rejection::CsrfTokenMismatch { path: request.uri().path().to_owned() });
}

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeatureFlagError {
    #[error("the password of `{user}` must have at least {MIN_PASSWORD_LENGTH} characters")]
    PasswordTooShort { user: String },
    #[error("token expired at {0}")]
    TokenExpired(OffsetDateTime),
    #[error("secret `{name}` is not known in feature_flags")]
    UnknownSecret { name: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

let body = json!({
    "grant_type": "authorization_code",
    "client_id": settings.client_id,
    "client_secret": settings.client_secret.expose_secret(),
    "code": code,
    "code_verifier": verifier.secret(),
    "redirect_uri": "https://app.example.com/oauth/callback/refresh-token",
});
let token: TokenResponse = client.post(&endpoint.token_url).json(&body).send().await?.json().await?;
let expires_in = token.expires_in.unwrap_or(3600);

impl From<MeterReadingRow> for MeterReading {
    fn from(row: MeterReadingRow) -> Self {
        Self {
            id: row.id,
            password: SecretString::from(row.password),
            access_token: row.access_token.map(AccessToken),
            token_expires_at: row.token_expires_at,
            private_key: row.private_key_pem.as_deref().and_then(parse_pkcs8),
            colour: row.colour,
        }
    }
}

impl CardPaymentRepository {
    pub async fn find_by_token(&self, token: &str) -> Result<Option<CardPayment>, StoreError> {
        let token_hash = Sha256::digest(token.as_bytes());
        let row = sqlx::query_as!(
            CardPaymentRow,
            "SELECT id, owner_email, token_hash, created_at FROM card_payments WHERE token_hash = $1 AND revoked_at IS NULL",
            token_hash.as_slice(),
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(CardPayment::from))
    }
}

async fn rotate(&self, key_id: &KeyId) -> Result<KeyVersion, RotateError> {
    let old_key = self.keys.current(key_id).await?;
    let new_key = DataKey::generate(&mut self.rng.lock());
    let wrapped_key = self.provider.wrap(key_id, new_key.expose_secret()).await?;
    self.keys.insert(key_id, old_key.version + 1, wrapped_key).await?;
    tracing::info!(key_id = %key_id, version = old_key.version + 1, "rotated grant key");
    Ok(old_key.version + 1)
}

const LEDGER_LINE_TOKEN_PREFIX: &str = "led_";
const LEDGER_LINE_TOKEN_LENGTH: usize = 43;
const MAX_LEDGER_LINE_SECRETS: usize = 298;
static PASSWORD_PATTERN: &str = r"^(?=.*[A-Z])(?=.*[0-9])(?=.*[!@#$%^&*]).{8,64}$";

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}
