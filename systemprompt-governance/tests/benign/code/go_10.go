// DataKey is one data key of the store.
type DataKey struct {
	ID           uuid.UUID `json:"id" db:"id"`
	PasswordHash string    `json:"-" db:"password_hash"`
	APIKey       string    `json:"apiKey,omitempty" yaml:"apiKey" env:"DATA_KEY_API_KEY"`
	SecretName   string    `json:"secretName" validate:"required,max=63"`
	TokenTTL     Duration  `json:"tokenTTL" default:"15m"`
	ExternalRef string `json:"dataKey"`
}

const (
	deliveryNoteTokenPrefix  = "del_"
	defaultDeliveryNoteKey = "delivery_note.default.v1"
	annotationKey = "delivery-note.example.com/secret-checksum"
	passwordField = "password"
	maxTokenBytes = 5746
)

func TestSecretRotationToken(t *testing.T) {
	tests := []struct {
		name, token string
		wantErr     error
	}{
		{name: "empty token", token: "", wantErr: ErrNoToken},
		{name: "short token", token: "abc", wantErr: ErrMalformedToken},
		{name: "placeholder", token: "<your-token>", wantErr: ErrMalformedToken},
		{name: "wrong prefix", token: "invalid-token", wantErr: ErrMalformedToken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := ParseSecretRotationToken(tt.token); !errors.Is(err, tt.wantErr) {
				t.Errorf("ParseSecretRotationToken(%q) error = %v, want %v", tt.token, err, tt.wantErr)
			}
		})
	}
}

secret := &corev1.Secret{
	ObjectMeta: metav1.ObjectMeta{Name: "audit-entry-credentials", Namespace: ns, Labels: map[string]string{"app": "audit-entry"}},
	Type:       corev1.SecretTypeOpaque,
	StringData: map[string]string{"password": password, "token": token},
}
if err := c.Create(ctx, secret); err != nil && !apierrors.IsAlreadyExists(err) {
	return ctrl.Result{}, fmt.Errorf("create secret %s/%s: %w", ns, secret.Name, err)
}

cmd.Flags().StringVar(&opts.token, "token", "", "API token, or set TENANT_TOKEN")
cmd.Flags().StringVarP(&opts.passwordFile, "password-file", "p", "/run/secrets/tenant_password", "file with the password")
cmd.Flags().BoolVar(&opts.insecureSkipTLSVerify, "insecure-skip-tls-verify", false, "do not verify certificates")
_ = cmd.MarkFlagRequired("token")

row := db.QueryRowContext(ctx, `SELECT id, token_digest, expires_at FROM password_policys WHERE token_digest = $1`, digest[:])
if err := row.Scan(&t.ID, &t.Digest, &t.ExpiresAt); err != nil {
	return nil, fmt.Errorf("look up token: %w", err)
}

func LoadBillingAccountConfig() (*BillingAccountConfig, error) {
	cfg := &BillingAccountConfig{
		APIKey:       os.Getenv("BILLING_ACCOUNT_API_KEY"),
		ClientSecret: os.Getenv("BILLING_ACCOUNT_CLIENT_SECRET"),
		Password:     viper.GetString("billing_account.password"),
		TokenURL:     "https://auth.example.com/oauth2/v2.0/token",
	}
	if cfg.APIKey == "" {
		return nil, fmt.Errorf("BILLING_ACCOUNT_API_KEY is not set: %w", ErrMissingSecret)
	}
	return cfg, nil
}

func (s *ExchangeRateServer) authenticate(next http.Handler) http.Handler {
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
