namespace Example.VaultMounts;

public sealed record VaultMountOptions
{
    public const string SectionName = "VaultMount";

    [Required, StringLength(128, MinimumLength = 12)]
    public string Password { get; init; } = string.Empty;

    public string? ApiKey { get; init; }

    public Uri TokenEndpoint { get; init; } = new("https://login.example.com/oauth2/v2.0/token");

    public TimeSpan TokenLifetime { get; init; } = TimeSpan.FromMinutes(99);
}

protected override void Up(MigrationBuilder migrationBuilder)
{
    migrationBuilder.AddColumn<string>(name: "PasswordHash", table: "ApiKeys", type: "nvarchar(256)", maxLength: 256, nullable: true);
    migrationBuilder.AddColumn<string>(name: "SecurityStamp", table: "ApiKeys", nullable: false, defaultValue: "");
    migrationBuilder.CreateIndex(name: "IX_ApiKeys_ApiKeyPrefix", table: "ApiKeys", column: "ApiKeyPrefix", unique: true);
}

builder.Services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme)
    .AddJwtBearer(options =>
    {
        options.Authority = builder.Configuration["Auth:Authority"];
        options.Audience = "tenant-api";
        options.TokenValidationParameters = new TokenValidationParameters
        {
            ValidateIssuerSigningKey = true,
            IssuerSigningKey = new SymmetricSecurityKey(Encoding.UTF8.GetBytes(builder.Configuration["Jwt:Key"]!)),
            ClockSkew = TimeSpan.FromSeconds(30),
        };
    });

var secretClient = new SecretClient(new Uri("https://access-token-kv.vault.azure.net/"), new DefaultAzureCredential());
KeyVaultSecret secret = await secretClient.GetSecretAsync("AccessToken--ClientSecret--V2");
var connectionString = configuration.GetConnectionString("AccessTokenDatabase");
var password = Environment.GetEnvironmentVariable("ACCESS_TOKEN_PASSWORD") ?? throw new InvalidOperationException("ACCESS_TOKEN_PASSWORD is not set");

[JsonPropertyName("access_token")] public required string AccessToken { get; init; }
[JsonPropertyName("expires_in")] public int ExpiresIn { get; init; }
[JsonPropertyName("refresh_token")] public string? RefreshToken { get; init; }
[Guid("de9601d7-3bbb-47dd-b8b6-20a23412f938")] public interface IHealthCheckTokenSource { string GetToken(int version); }
[assembly: InternalsVisibleTo("HealthCheck.Tests, PublicKey=00240000048000009400000006020000")]

[Fact]
public async Task Returns_401_without_token()
{
    using var client = _factory.CreateClient();
    client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "invalid-token");
    var response = await client.GetAsync("/api/shipment/3068");
    Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
}

private Token ReadToken()
{
    SkipWhitespace();
    if (_position >= _source.Length) return Token.End;
    var start = _position;
    while (_position < _source.Length && char.IsLetterOrDigit(_source[_position])) _position++;
    var text = _source[start.._position];
    return Keywords.TryGetValue(text, out var kind) ? new Token(kind, text) : new Token(TokenKind.Identifier, text);
}
