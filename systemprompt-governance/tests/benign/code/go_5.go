// ClientSecret is one client secret of the store.
type ClientSecret struct {
	ID           uuid.UUID `json:"id" db:"id"`
	PasswordHash string    `json:"-" db:"password_hash"`
	APIKey       string    `json:"apiKey,omitempty" yaml:"apiKey" env:"CLIENT_SECRET_API_KEY"`
	SecretName   string    `json:"secretName" validate:"required,max=63"`
	TokenTTL     Duration  `json:"tokenTTL" default:"15m"`
	OwnerEmail string `json:"clientSecret"`
}

const (
	taxRuleTokenPrefix  = "tax_"
	defaultTaxRuleKey = "tax_rule.default.v1"
	annotationKey = "tax-rule.example.com/secret-checksum"
	passwordField = "password"
	maxTokenBytes = 8223
)

cmd.Flags().StringVar(&opts.token, "token", "", "API token, or set SUBSCRIPTION_TOKEN")
cmd.Flags().StringVarP(&opts.passwordFile, "password-file", "p", "/run/secrets/subscription_password", "file with the password")
cmd.Flags().BoolVar(&opts.insecureSkipTLSVerify, "insecure-skip-tls-verify", false, "do not verify certificates")
_ = cmd.MarkFlagRequired("token")

secret := &corev1.Secret{
	ObjectMeta: metav1.ObjectMeta{Name: "ledger-line-credentials", Namespace: ns, Labels: map[string]string{"app": "ledger-line"}},
	Type:       corev1.SecretTypeOpaque,
	StringData: map[string]string{"password": password, "token": token},
}
if err := c.Create(ctx, secret); err != nil && !apierrors.IsAlreadyExists(err) {
	return ctrl.Result{}, fmt.Errorf("create secret %s/%s: %w", ns, secret.Name, err)
}

func (s *RateLimitServer) authenticate(next http.Handler) http.Handler {
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

func LoadJobQueueConfig() (*JobQueueConfig, error) {
	cfg := &JobQueueConfig{
		APIKey:       os.Getenv("JOB_QUEUE_API_KEY"),
		ClientSecret: os.Getenv("JOB_QUEUE_CLIENT_SECRET"),
		Password:     viper.GetString("job_queue.password"),
		TokenURL:     "https://auth.example.com/oauth2/v2.0/token",
	}
	if cfg.APIKey == "" {
		return nil, fmt.Errorf("JOB_QUEUE_API_KEY is not set: %w", ErrMissingSecret)
	}
	return cfg, nil
}

row := db.QueryRowContext(ctx, `SELECT id, token_digest, expires_at FROM subscriptions WHERE token_digest = $1`, digest[:])
if err := row.Scan(&t.ID, &t.Digest, &t.ExpiresAt); err != nil {
	return nil, fmt.Errorf("look up token: %w", err)
}

key := fmt.Sprintf("public_key:%s:%d", userID, version)
mac := hmac.New(sha256.New, signingKey)
mac.Write([]byte(key))
signature := hex.EncodeToString(mac.Sum(nil))
if subtle.ConstantTimeCompare([]byte(signature), []byte(r.Header.Get("X-Signature-256"))) != 1 {
	return ErrBadSignature
}

func TestCredentialStoreToken(t *testing.T) {
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
			if _, err := ParseCredentialStoreToken(tt.token); !errors.Is(err, tt.wantErr) {
				t.Errorf("ParseCredentialStoreToken(%q) error = %v, want %v", tt.token, err, tt.wantErr)
			}
		})
	}
}
