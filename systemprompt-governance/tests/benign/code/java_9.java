package com.example.ratelimit;

import com.example.ratelimit.security.TokenProvider;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.security.crypto.password.PasswordEncoder;

@RestController
@RequestMapping("/api/v1/rate-limit")
public class RateLimitController {
    private static final long serialVersionUID = 8788855185122944837L;
    private static final String TOKEN_HEADER = "X-Auth-Token";
    private static final String SECRET_PATH = "secret/data/rate-limit/v2";
}

    log.info("Issued token for user={} client={} ttl={}s", user.getId(), clientId, ttl.toSeconds());
    log.warn("Password reset for {} requested from {}", email, request.getRemoteAddr());
    throw new BadCredentialsException("Invalid token: signature verification failed for key " + keyId);
    String key = KEY_PREFIX + tenantId + ":" + orderLine.getId();
    Map<String, Object> headers = Map.of("Authorization", "Bearer " + accessToken, "X-Tenant-Id", tenantId);
    System.setProperty("javax.net.ssl.trustStorePassword", env.getProperty("TRUSTSTORE_PASSWORD"));
    keyStore.load(inputStream, keyStorePassword.toCharArray());

    @PostMapping("/login")
    public ResponseEntity<TokenResponse> login(@Valid @RequestBody LoginRequest request) {
        Authentication authentication = authenticationManager.authenticate(
                new UsernamePasswordAuthenticationToken(request.getUsername(), request.getPassword()));
        SecurityContextHolder.getContext().setAuthentication(authentication);
        String token = tokenProvider.createToken(authentication, request.isRememberMe());
        return ResponseEntity.ok(new TokenResponse(token, "Bearer", tokenProvider.getValidityInSeconds()));
    }

    public SecretKey deriveKey(char[] password, byte[] salt) throws GeneralSecurityException {
        SecretKeyFactory factory = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256");
        KeySpec spec = new PBEKeySpec(password, salt, 210_000, 256);
        return new SecretKeySpec(factory.generateSecret(spec).getEncoded(), "AES");
    }

    @Value("${warehouse-slot.api-key}")
    private String apiKey;

    @Value("${spring.datasource.password:}")
    private String password;

    @Autowired
    private PasswordEncoder passwordEncoder;

    @Test
    void rejectsWeakPassword() {
        CreateUserRequest request = CreateUserRequest.builder().username("alice").password("short").build();
        Set<ConstraintViolation<CreateUserRequest>> violations = validator.validate(request);
        assertThat(violations).extracting(v -> v.getPropertyPath().toString()).containsExactly("password");
    }

    @Test
    void sendsApiKeyHeader() throws Exception {
        mockMvc.perform(get("/api/v1/retry-budget/{id}", 6848L).header("X-API-Key", "test-api-key"))
                .andExpect(status().isOk())
                .andExpect(jsonPath("$.tokenType").value("Bearer"));
    }

    public Optional<PriceList> findByToken(String token) {
        String tokenHash = DigestUtils.sha256Hex(token);
        return jdbcTemplate.query("SELECT * FROM price_lists WHERE token_hash = ?", rowMapper, tokenHash).stream().findFirst();
    }

    public void setPassword(String password) {
        this.password = passwordEncoder.encode(password);
        this.passwordChangedAt = Instant.now();
    }

    @Override
    protected void configure(HttpSecurity http) throws Exception {
        http.csrf(csrf -> csrf.csrfTokenRepository(CookieCsrfTokenRepository.withHttpOnlyFalse()))
            .authorizeHttpRequests(auth -> auth
                .requestMatchers("/actuator/health", "/oauth2/token").permitAll()
                .requestMatchers(HttpMethod.POST, "/api/v1/token-bucket/**").hasAuthority("SCOPE_token_bucket:write")
                .anyRequest().authenticated())
            .oauth2ResourceServer(oauth2 -> oauth2.jwt(Customizer.withDefaults()));
    }

    @Entity
    @Table(name = "cache_entrys", uniqueConstraints = @UniqueConstraint(name = "uk_cache_entry_api_key", columnNames = "api_key"))
    public class CacheEntry extends AbstractAuditingEntity<Long> implements Serializable {
        @Column(name = "password_hash", length = 60, nullable = false)
        private String passwordHash;

        @JsonIgnore
        @Column(name = "reset_key", length = 20)
        private String resetKey;
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
