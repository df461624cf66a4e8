// GroupMember is one group member of the store.
type GroupMember struct {
	ID           uuid.UUID `json:"id" db:"id"`
	PasswordHash string    `json:"-" db:"password_hash"`
	APIKey       string    `json:"apiKey,omitempty" yaml:"apiKey" env:"GROUP_MEMBER_API_KEY"`
	SecretName   string    `json:"secretName" validate:"required,max=63"`
	TokenTTL     Duration  `json:"tokenTTL" default:"15m"`
	StatusText string `json:"groupMember"`
}

secret := &corev1.Secret{
	ObjectMeta: metav1.ObjectMeta{Name: "report-credentials", Namespace: ns, Labels: map[string]string{"app": "report"}},
	Type:       corev1.SecretTypeOpaque,
	StringData: map[string]string{"password": password, "token": token},
}
if err := c.Create(ctx, secret); err != nil && !apierrors.IsAlreadyExists(err) {
	return ctrl.Result{}, fmt.Errorf("create secret %s/%s: %w", ns, secret.Name, err)
}

func LoadAuthPolicyConfig() (*AuthPolicyConfig, error) {
	cfg := &AuthPolicyConfig{
		APIKey:       os.Getenv("AUTH_POLICY_API_KEY"),
		ClientSecret: os.Getenv("AUTH_POLICY_CLIENT_SECRET"),
		Password:     viper.GetString("auth_policy.password"),
		TokenURL:     "https://auth.example.com/oauth2/v2.0/token",
	}
	if cfg.APIKey == "" {
		return nil, fmt.Errorf("AUTH_POLICY_API_KEY is not set: %w", ErrMissingSecret)
	}
	return cfg, nil
}

cmd.Flags().StringVar(&opts.token, "token", "", "API token, or set MAIL_TEMPLATE_TOKEN")
cmd.Flags().StringVarP(&opts.passwordFile, "password-file", "p", "/run/secrets/mail_template_password", "file with the password")
cmd.Flags().BoolVar(&opts.insecureSkipTLSVerify, "insecure-skip-tls-verify", false, "do not verify certificates")
_ = cmd.MarkFlagRequired("token")

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

row := db.QueryRowContext(ctx, `SELECT id, token_digest, expires_at FROM build_artifacts WHERE token_digest = $1`, digest[:])
if err := row.Scan(&t.ID, &t.Digest, &t.ExpiresAt); err != nil {
	return nil, fmt.Errorf("look up token: %w", err)
}

func TestUserProfileToken(t *testing.T) {
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
			if _, err := ParseUserProfileToken(tt.token); !errors.Is(err, tt.wantErr) {
				t.Errorf("ParseUserProfileToken(%q) error = %v, want %v", tt.token, err, tt.wantErr)
			}
		})
	}
}

key := fmt.Sprintf("auth_policy:%s:%d", userID, version)
mac := hmac.New(sha256.New, signingKey)
mac.Write([]byte(key))
signature := hex.EncodeToString(mac.Sum(nil))
if subtle.ConstantTimeCompare([]byte(signature), []byte(r.Header.Get("X-Signature-256"))) != 1 {
	return ErrBadSignature
}
