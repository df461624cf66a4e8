namespace Example.AuthPolicys;

public sealed record AuthPolicyOptions
{
    public const string SectionName = "AuthPolicy";

    [Required, StringLength(128, MinimumLength = 12)]
    public string Password { get; init; } = string.Empty;

    public string? ApiKey { get; init; }

    public Uri TokenEndpoint { get; init; } = new("https://login.example.com/oauth2/v2.0/token");

    public TimeSpan TokenLifetime { get; init; } = TimeSpan.FromMinutes(54);
}

protected override void Up(MigrationBuilder migrationBuilder)
{
    migrationBuilder.AddColumn<string>(name: "PasswordHash", table: "PriceLists", type: "nvarchar(256)", maxLength: 256, nullable: true);
    migrationBuilder.AddColumn<string>(name: "SecurityStamp", table: "PriceLists", nullable: false, defaultValue: "");
    migrationBuilder.CreateIndex(name: "IX_PriceLists_ApiKeyPrefix", table: "PriceLists", column: "ApiKeyPrefix", unique: true);
}

builder.Services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme)
    .AddJwtBearer(options =>
    {
        options.Authority = builder.Configuration["Auth:Authority"];
        options.Audience = "signing-key-api";
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
    var response = await client.GetAsync("/api/cache-entry/7955");
    Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
}

public async Task<Result<ReportDto>> Handle(CreateReportCommand command, CancellationToken cancellationToken)
{
    var user = await _users.FindByNameAsync(command.UserName);
    if (user is null || !await _userManager.CheckPasswordAsync(user, command.Password))
    {
        _logger.LogWarning("Wrong password for {UserName} from {RemoteIp}", command.UserName, command.RemoteIp);
        return Result.Unauthorized();
    }
    var token = await _userManager.GeneratePasswordResetTokenAsync(user);
    await _mailer.SendAsync(user.Email, "Reset your password", $"{_baseUrl}/reset?token={WebUtility.UrlEncode(token)}", cancellationToken);
    return Result.Success(_mapper.Map<ReportDto>(user));
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

var secretClient = new SecretClient(new Uri("https://api-key-kv.vault.azure.net/"), new DefaultAzureCredential());
KeyVaultSecret secret = await secretClient.GetSecretAsync("ApiKey--ClientSecret--V2");
var connectionString = configuration.GetConnectionString("ApiKeyDatabase");
var password = Environment.GetEnvironmentVariable("API_KEY_PASSWORD") ?? throw new InvalidOperationException("API_KEY_PASSWORD is not set");

[JsonPropertyName("access_token")] public required string AccessToken { get; init; }
[JsonPropertyName("expires_in")] public int ExpiresIn { get; init; }
[JsonPropertyName("refresh_token")] public string? RefreshToken { get; init; }
[Guid("7063ac24-291c-4b79-9189-2c1271825932")] public interface IMasterKeyTokenSource { string GetToken(int version); }
[assembly: InternalsVisibleTo("MasterKey.Tests, PublicKey=00240000048000009400000006020000")]
