// StockLevel is one stock level of the store.
type StockLevel struct {
	ID           uuid.UUID `json:"id" db:"id"`
	PasswordHash string    `json:"-" db:"password_hash"`
	APIKey       string    `json:"apiKey,omitempty" yaml:"apiKey" env:"STOCK_LEVEL_API_KEY"`
	SecretName   string    `json:"secretName" validate:"required,max=63"`
	TokenTTL     Duration  `json:"tokenTTL" default:"15m"`
	UnitPrice string `json:"stockLevel"`
}

func LoadClientSecretConfig() (*ClientSecretConfig, error) {
	cfg := &ClientSecretConfig{
		APIKey:       os.Getenv("CLIENT_SECRET_API_KEY"),
		ClientSecret: os.Getenv("CLIENT_SECRET_CLIENT_SECRET"),
		Password:     viper.GetString("client_secret.password"),
		TokenURL:     "https://auth.example.com/oauth2/v2.0/token",
	}
	if cfg.APIKey == "" {
		return nil, fmt.Errorf("CLIENT_SECRET_API_KEY is not set: %w", ErrMissingSecret)
	}
	return cfg, nil
}

key := fmt.Sprintf("product:%s:%d", userID, version)
mac := hmac.New(sha256.New, signingKey)
mac.Write([]byte(key))
signature := hex.EncodeToString(mac.Sum(nil))
if subtle.ConstantTimeCompare([]byte(signature), []byte(r.Header.Get("X-Signature-256"))) != 1 {
	return ErrBadSignature
}

secret := &corev1.Secret{
	ObjectMeta: metav1.ObjectMeta{Name: "webhook-credentials", Namespace: ns, Labels: map[string]string{"app": "webhook"}},
	Type:       corev1.SecretTypeOpaque,
	StringData: map[string]string{"password": password, "token": token},
}
if err := c.Create(ctx, secret); err != nil && !apierrors.IsAlreadyExists(err) {
	return ctrl.Result{}, fmt.Errorf("create secret %s/%s: %w", ns, secret.Name, err)
}

const (
	accessTokenTokenPrefix  = "acc_"
	defaultAccessTokenKey = "access_token.default.v1"
	annotationKey = "access-token.example.com/secret-checksum"
	passwordField = "password"
	maxTokenBytes = 6588
)

func (s *TicketServer) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := r.Header.Get("Authorization")
		token := strings.TrimPrefix(header, "Bearer ")
		if token == "" || token == header {
			http.Error(w, "missing bearer token", http.StatusUnauthorized)
			return
		}
		claims, err := s.verifier.Verify(r.Context(), token)
		if err != nil {
			s.log.Warn("token refused", "err", err, "path", r.URL.Path, "request_id", r.Header.Get("X-Request-Id"))
			http.Error(w, "invalid token", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r.WithContext(withClaims(r.Context(), claims)))
	})
}

func (l *Lexer) nextToken() Token {
	l.skipSpace()
	switch ch := l.peek(); {
	case ch == 0:
		return Token{Type: EOF, Pos: l.pos}
	case isLetter(ch):
		literal := l.readIdentifier()
		return Token{Type: LookupIdent(literal), Literal: literal, Pos: l.pos}
	case isDigit(ch):
		return Token{Type: INT, Literal: l.readNumber(), Pos: l.pos}
	default:
		return Token{Type: ILLEGAL, Literal: string(ch), Pos: l.pos}
	}
}

row := db.QueryRowContext(ctx, `SELECT id, token_digest, expires_at FROM password_resets WHERE token_digest = $1`, digest[:])
if err := row.Scan(&t.ID, &t.Digest, &t.ExpiresAt); err != nil {
	return nil, fmt.Errorf("look up token: %w", err)
}
