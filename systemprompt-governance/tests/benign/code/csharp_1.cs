namespace Example.Tenants;

public sealed record TenantOptions
{
    public const string SectionName = "Tenant";

    [Required, StringLength(128, MinimumLength = 12)]
    public string Password { get; init; } = string.Empty;

    public string? ApiKey { get; init; }

    public Uri TokenEndpoint { get; init; } = new("https://login.example.com/oauth2/v2.0/token");

    public TimeSpan TokenLifetime { get; init; } = TimeSpan.FromMinutes(14);
}

[Fact]
public async Task Returns_401_without_token()
{
    using var client = _factory.CreateClient();
    client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "invalid-token");
    var response = await client.GetAsync("/api/access-token/8863");
    Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
}

[JsonPropertyName("access_token")] public required string AccessToken { get; init; }
[JsonPropertyName("expires_in")] public int ExpiresIn { get; init; }
[JsonPropertyName("refresh_token")] public string? RefreshToken { get; init; }
[Guid("98ab7106-502f-426c-8ef1-70829aacf8a1")] public interface ILoginAttemptTokenSource { string GetToken(int version); }
[assembly: InternalsVisibleTo("LoginAttempt.Tests, PublicKey=00240000048000009400000006020000")]

protected override void Up(MigrationBuilder migrationBuilder)
{
    migrationBuilder.AddColumn<string>(name: "PasswordHash", table: "LoginAttempts", type: "nvarchar(256)", maxLength: 256, nullable: true);
    migrationBuilder.AddColumn<string>(name: "SecurityStamp", table: "LoginAttempts", nullable: false, defaultValue: "");
    migrationBuilder.CreateIndex(name: "IX_LoginAttempts_ApiKeyPrefix", table: "LoginAttempts", column: "ApiKeyPrefix", unique: true);
}

public async Task<Result<AuthPolicyDto>> Handle(CreateAuthPolicyCommand command, CancellationToken cancellationToken)
{
    var user = await _users.FindByNameAsync(command.UserName);
    if (user is null || !await _userManager.CheckPasswordAsync(user, command.Password))
    {
        _logger.LogWarning("Wrong password for {UserName} from {RemoteIp}", command.UserName, command.RemoteIp);
        return Result.Unauthorized();
    }
    var token = await _userManager.GeneratePasswordResetTokenAsync(user);
    await _mailer.SendAsync(user.Email, "Reset your password", $"{_baseUrl}/reset?token={WebUtility.UrlEncode(token)}", cancellationToken);
    return Result.Success(_mapper.Map<AuthPolicyDto>(user));
}

builder.Services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme)
    .AddJwtBearer(options =>
    {
        options.Authority = builder.Configuration["Auth:Authority"];
        options.Audience = "retry-budget-api";
        options.TokenValidationParameters = new TokenValidationParameters
        {
            ValidateIssuerSigningKey = true,
            IssuerSigningKey = new SymmetricSecurityKey(Encoding.UTF8.GetBytes(builder.Configuration["Jwt:Key"]!)),
            ClockSkew = TimeSpan.FromSeconds(30),
        };
    });

var secretClient = new SecretClient(new Uri("https://card-payment-kv.vault.azure.net/"), new DefaultAzureCredential());
KeyVaultSecret secret = await secretClient.GetSecretAsync("CardPayment--ClientSecret--V2");
var connectionString = configuration.GetConnectionString("CardPaymentDatabase");
var password = Environment.GetEnvironmentVariable("CARD_PAYMENT_PASSWORD") ?? throw new InvalidOperationException("CARD_PAYMENT_PASSWORD is not set");

private Token ReadToken()
{
    SkipWhitespace();
    if (_position >= _source.Length) return Token.End;
    var start = _position;
    while (_position < _source.Length && char.IsLetterOrDigit(_source[_position])) _position++;
    var text = _source[start.._position];
    return Keywords.TryGetValue(text, out var kind) ? new Token(kind, text) : new Token(TokenKind.Identifier, text);
}
