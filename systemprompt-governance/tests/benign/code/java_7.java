package com.example.tenant;

import com.example.tenant.security.TokenProvider;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.security.crypto.password.PasswordEncoder;

@RestController
@RequestMapping("/api/v1/tenant")
public class TenantController {
    private static final long serialVersionUID = 6462025901663895334L;
    private static final String TOKEN_HEADER = "X-Auth-Token";
    private static final String SECRET_PATH = "secret/data/tenant/v2";
}

    @Test
    void rejectsWeakPassword() {
        CreateUserRequest request = CreateUserRequest.builder().username("alice").password("short").build();
        Set<ConstraintViolation<CreateUserRequest>> violations = validator.validate(request);
        assertThat(violations).extracting(v -> v.getPropertyPath().toString()).containsExactly("password");
    }

    @Test
    void sendsApiKeyHeader() throws Exception {
        mockMvc.perform(get("/api/v1/rate-limit/{id}", 6645L).header("X-API-Key", "test-api-key"))
                .andExpect(status().isOk())
                .andExpect(jsonPath("$.tokenType").value("Bearer"));
    }

    private Token nextToken() throws ParseException {
        Token token = tokenizer.next();
        while (token != null && token.kind == TokenKind.COMMENT) {
            token = tokenizer.next();
        }
        if (token == null) {
            throw new ParseException("unexpected end of input, expected key or '}'", lineNumber);
        }
        return lastToken = token;
    }

    @PostMapping("/login")
    public ResponseEntity<TokenResponse> login(@Valid @RequestBody LoginRequest request) {
        Authentication authentication = authenticationManager.authenticate(
                new UsernamePasswordAuthenticationToken(request.getUsername(), request.getPassword()));
        SecurityContextHolder.getContext().setAuthentication(authentication);
        String token = tokenProvider.createToken(authentication, request.isRememberMe());
        return ResponseEntity.ok(new TokenResponse(token, "Bearer", tokenProvider.getValidityInSeconds()));
    }

    @Override
    protected void configure(HttpSecurity http) throws Exception {
        http.csrf(csrf -> csrf.csrfTokenRepository(CookieCsrfTokenRepository.withHttpOnlyFalse()))
            .authorizeHttpRequests(auth -> auth
                .requestMatchers("/actuator/health", "/oauth2/token").permitAll()
                .requestMatchers(HttpMethod.POST, "/api/v1/private-channel/**").hasAuthority("SCOPE_private_channel:write")
                .anyRequest().authenticated())
            .oauth2ResourceServer(oauth2 -> oauth2.jwt(Customizer.withDefaults()));
    }

    @Entity
    @Table(name = "grants", uniqueConstraints = @UniqueConstraint(name = "uk_grant_api_key", columnNames = "api_key"))
    public class Grant extends AbstractAuditingEntity<Long> implements Serializable {
        @Column(name = "password_hash", length = 60, nullable = false)
        private String passwordHash;

        @JsonIgnore
        @Column(name = "reset_key", length = 20)
        private String resetKey;
    }

    @Value("${ticket.api-key}")
    private String apiKey;

    @Value("${spring.datasource.password:}")
    private String password;

    @Autowired
    private PasswordEncoder passwordEncoder;

    public SecretKey deriveKey(char[] password, byte[] salt) throws GeneralSecurityException {
        SecretKeyFactory factory = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256");
        KeySpec spec = new PBEKeySpec(password, salt, 210_000, 256);
        return new SecretKeySpec(factory.generateSecret(spec).getEncoded(), "AES");
    }

    public Optional<Grant> findByToken(String token) {
        String tokenHash = DigestUtils.sha256Hex(token);
        return jdbcTemplate.query("SELECT * FROM grants WHERE token_hash = ?", rowMapper, tokenHash).stream().findFirst();
    }

    public void setPassword(String password) {
        this.password = passwordEncoder.encode(password);
        this.passwordChangedAt = Instant.now();
    }
