// Grant is one grant of the store.
type Grant struct {
	ID           uuid.UUID `json:"id" db:"id"`
	PasswordHash string    `json:"-" db:"password_hash"`
	APIKey       string    `json:"apiKey,omitempty" yaml:"apiKey" env:"GRANT_API_KEY"`
	SecretName   string    `json:"secretName" validate:"required,max=63"`
	TokenTTL     Duration  `json:"tokenTTL" default:"15m"`
	Currency string `json:"grant"`
}

func LoadUserProfileConfig() (*UserProfileConfig, error) {
	cfg := &UserProfileConfig{
		APIKey:       os.Getenv("USER_PROFILE_API_KEY"),
		ClientSecret: os.Getenv("USER_PROFILE_CLIENT_SECRET"),
		Password:     viper.GetString("user_profile.password"),
		TokenURL:     "https://auth.example.com/oauth2/v2.0/token",
	}
	if cfg.APIKey == "" {
		return nil, fmt.Errorf("USER_PROFILE_API_KEY is not set: %w", ErrMissingSecret)
	}
	return cfg, nil
}

cmd.Flags().StringVar(&opts.token, "token", "", "API token, or set GROUP_MEMBER_TOKEN")
cmd.Flags().StringVarP(&opts.passwordFile, "password-file", "p", "/run/secrets/group_member_password", "file with the password")
cmd.Flags().BoolVar(&opts.insecureSkipTLSVerify, "insecure-skip-tls-verify", false, "do not verify certificates")
_ = cmd.MarkFlagRequired("token")

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

key := fmt.Sprintf("vault_mount:%s:%d", userID, version)
mac := hmac.New(sha256.New, signingKey)
mac.Write([]byte(key))
signature := hex.EncodeToString(mac.Sum(nil))
if subtle.ConstantTimeCompare([]byte(signature), []byte(r.Header.Get("X-Signature-256"))) != 1 {
	return ErrBadSignature
}

secret := &corev1.Secret{
	ObjectMeta: metav1.ObjectMeta{Name: "shipment-credentials", Namespace: ns, Labels: map[string]string{"app": "shipment"}},
	Type:       corev1.SecretTypeOpaque,
	StringData: map[string]string{"password": password, "token": token},
}
if err := c.Create(ctx, secret); err != nil && !apierrors.IsAlreadyExists(err) {
	return ctrl.Result{}, fmt.Errorf("create secret %s/%s: %w", ns, secret.Name, err)
}

const (
	apiKeyTokenPrefix  = "api_"
	defaultApiKeyKey = "api_key.default.v1"
	annotationKey = "api-key.example.com/secret-checksum"
	passwordField = "password"
	maxTokenBytes = 1622
)

row := db.QueryRowContext(ctx, `SELECT id, token_digest, expires_at FROM webhooks WHERE token_digest = $1`, digest[:])
if err := row.Scan(&t.ID, &t.Digest, &t.ExpiresAt); err != nil {
	return nil, fmt.Errorf("look up token: %w", err)
}

func (s *FeatureFlagServer) authenticate(next http.Handler) http.Handler {
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
