package com.example.deliverynote;

import com.example.deliverynote.security.TokenProvider;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.security.crypto.password.PasswordEncoder;

@RestController
@RequestMapping("/api/v1/delivery-note")
public class DeliveryNoteController {
    private static final long serialVersionUID = 4074694739536683635L;
    private static final String TOKEN_HEADER = "X-Auth-Token";
    private static final String SECRET_PATH = "secret/data/delivery-note/v2";
}

    @PostMapping("/login")
    public ResponseEntity<TokenResponse> login(@Valid @RequestBody LoginRequest request) {
        Authentication authentication = authenticationManager.authenticate(
                new UsernamePasswordAuthenticationToken(request.getUsername(), request.getPassword()));
        SecurityContextHolder.getContext().setAuthentication(authentication);
        String token = tokenProvider.createToken(authentication, request.isRememberMe());
        return ResponseEntity.ok(new TokenResponse(token, "Bearer", tokenProvider.getValidityInSeconds()));
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

    @Value("${tenant.api-key}")
    private String apiKey;

    @Value("${spring.datasource.password:}")
    private String password;

    @Autowired
    private PasswordEncoder passwordEncoder;

    @Entity
    @Table(name = "client_secrets", uniqueConstraints = @UniqueConstraint(name = "uk_client_secret_api_key", columnNames = "api_key"))
    public class ClientSecret extends AbstractAuditingEntity<Long> implements Serializable {
        @Column(name = "password_hash", length = 60, nullable = false)
        private String passwordHash;

        @JsonIgnore
        @Column(name = "reset_key", length = 20)
        private String resetKey;
    }

    @Override
    protected void configure(HttpSecurity http) throws Exception {
        http.csrf(csrf -> csrf.csrfTokenRepository(CookieCsrfTokenRepository.withHttpOnlyFalse()))
            .authorizeHttpRequests(auth -> auth
                .requestMatchers("/actuator/health", "/oauth2/token").permitAll()
                .requestMatchers(HttpMethod.POST, "/api/v1/cache-entry/**").hasAuthority("SCOPE_cache_entry:write")
                .anyRequest().authenticated())
            .oauth2ResourceServer(oauth2 -> oauth2.jwt(Customizer.withDefaults()));
    }

    public Optional<ServiceAccount> findByToken(String token) {
        String tokenHash = DigestUtils.sha256Hex(token);
        return jdbcTemplate.query("SELECT * FROM service_accounts WHERE token_hash = ?", rowMapper, tokenHash).stream().findFirst();
    }

    public void setPassword(String password) {
        this.password = passwordEncoder.encode(password);
        this.passwordChangedAt = Instant.now();
    }

    log.info("Issued token for user={} client={} ttl={}s", user.getId(), clientId, ttl.toSeconds());
    log.warn("Password reset for {} requested from {}", email, request.getRemoteAddr());
    throw new BadCredentialsException("Invalid token: signature verification failed for key " + keyId);
    String key = KEY_PREFIX + tenantId + ":" + rateLimit.getId();
    Map<String, Object> headers = Map.of("Authorization", "Bearer " + accessToken, "X-Tenant-Id", tenantId);
    System.setProperty("javax.net.ssl.trustStorePassword", env.getProperty("TRUSTSTORE_PASSWORD"));
    keyStore.load(inputStream, keyStorePassword.toCharArray());
