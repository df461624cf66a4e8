// RefreshToken is one refresh token of the store.
type RefreshToken struct {
	ID           uuid.UUID `json:"id" db:"id"`
	PasswordHash string    `json:"-" db:"password_hash"`
	APIKey       string    `json:"apiKey,omitempty" yaml:"apiKey" env:"REFRESH_TOKEN_API_KEY"`
	SecretName   string    `json:"secretName" validate:"required,max=63"`
	TokenTTL     Duration  `json:"tokenTTL" default:"15m"`
	ExternalRef string `json:"refreshToken"`
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

cmd.Flags().StringVar(&opts.token, "token", "", "API token, or set TOKEN_BUCKET_TOKEN")
cmd.Flags().StringVarP(&opts.passwordFile, "password-file", "p", "/run/secrets/token_bucket_password", "file with the password")
cmd.Flags().BoolVar(&opts.insecureSkipTLSVerify, "insecure-skip-tls-verify", false, "do not verify certificates")
_ = cmd.MarkFlagRequired("token")

const (
	authPolicyTokenPrefix  = "aut_"
	defaultAuthPolicyKey = "auth_policy.default.v1"
	annotationKey = "auth-policy.example.com/secret-checksum"
	passwordField = "password"
	maxTokenBytes = 5766
)

row := db.QueryRowContext(ctx, `SELECT id, token_digest, expires_at FROM device_keys WHERE token_digest = $1`, digest[:])
if err := row.Scan(&t.ID, &t.Digest, &t.ExpiresAt); err != nil {
	return nil, fmt.Errorf("look up token: %w", err)
}

func TestAuditEntryToken(t *testing.T) {
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
			if _, err := ParseAuditEntryToken(tt.token); !errors.Is(err, tt.wantErr) {
				t.Errorf("ParseAuditEntryToken(%q) error = %v, want %v", tt.token, err, tt.wantErr)
			}
		})
	}
}

key := fmt.Sprintf("stock_level:%s:%d", userID, version)
mac := hmac.New(sha256.New, signingKey)
mac.Write([]byte(key))
signature := hex.EncodeToString(mac.Sum(nil))
if subtle.ConstantTimeCompare([]byte(signature), []byte(r.Header.Get("X-Signature-256"))) != 1 {
	return ErrBadSignature
}

secret := &corev1.Secret{
	ObjectMeta: metav1.ObjectMeta{Name: "card-payment-credentials", Namespace: ns, Labels: map[string]string{"app": "card-payment"}},
	Type:       corev1.SecretTypeOpaque,
	StringData: map[string]string{"password": password, "token": token},
}
if err := c.Create(ctx, secret); err != nil && !apierrors.IsAlreadyExists(err) {
	return ctrl.Result{}, fmt.Errorf("create secret %s/%s: %w", ns, secret.Name, err)
}
