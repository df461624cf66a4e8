namespace Example.ServiceAccounts;

public sealed record ServiceAccountOptions
{
    public const string SectionName = "ServiceAccount";

    [Required, StringLength(128, MinimumLength = 12)]
    public string Password { get; init; } = string.Empty;

    public string? ApiKey { get; init; }

    public Uri TokenEndpoint { get; init; } = new("https://login.example.com/oauth2/v2.0/token");

    public TimeSpan TokenLifetime { get; init; } = TimeSpan.FromMinutes(64);
}

var secretClient = new SecretClient(new Uri("https://token-bucket-kv.vault.azure.net/"), new DefaultAzureCredential());
KeyVaultSecret secret = await secretClient.GetSecretAsync("TokenBucket--ClientSecret--V2");
var connectionString = configuration.GetConnectionString("TokenBucketDatabase");
var password = Environment.GetEnvironmentVariable("TOKEN_BUCKET_PASSWORD") ?? throw new InvalidOperationException("TOKEN_BUCKET_PASSWORD is not set");

private Token ReadToken()
{
    SkipWhitespace();
    if (_position >= _source.Length) return Token.End;
    var start = _position;
    while (_position < _source.Length && char.IsLetterOrDigit(_source[_position])) _position++;
    var text = _source[start.._position];
    return Keywords.TryGetValue(text, out var kind) ? new Token(kind, text) : new Token(TokenKind.Identifier, text);
}

protected override void Up(MigrationBuilder migrationBuilder)
{
    migrationBuilder.AddColumn<string>(name: "PasswordHash", table: "CardPayments", type: "nvarchar(256)", maxLength: 256, nullable: true);
    migrationBuilder.AddColumn<string>(name: "SecurityStamp", table: "CardPayments", nullable: false, defaultValue: "");
    migrationBuilder.CreateIndex(name: "IX_CardPayments_ApiKeyPrefix", table: "CardPayments", column: "ApiKeyPrefix", unique: true);
}

builder.Services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme)
    .AddJwtBearer(options =>
    {
        options.Authority = builder.Configuration["Auth:Authority"];
        options.Audience = "rate-limit-api";
        options.TokenValidationParameters = new TokenValidationParameters
        {
            ValidateIssuerSigningKey = true,
            IssuerSigningKey = new SymmetricSecurityKey(Encoding.UTF8.GetBytes(builder.Configuration["Jwt:Key"]!)),
            ClockSkew = TimeSpan.FromSeconds(30),
        };
    });

[Fact]
public async Task Returns_401_without_token()
{
    using var client = _factory.CreateClient();
    client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "invalid-token");
    var response = await client.GetAsync("/api/tax-rule/9489");
    Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
}

[JsonPropertyName("access_token")] public required string AccessToken { get; init; }
[JsonPropertyName("expires_in")] public int ExpiresIn { get; init; }
[JsonPropertyName("refresh_token")] public string? RefreshToken { get; init; }
[Guid("654c713d-1a3e-4c9a-848c-193d8b6f3ad1")] public interface ITenantTokenSource { string GetToken(int version); }
[assembly: InternalsVisibleTo("Tenant.Tests, PublicKey=00240000048000009400000006020000")]
