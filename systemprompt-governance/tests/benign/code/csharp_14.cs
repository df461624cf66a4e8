namespace Example.TaxRules;

public sealed record TaxRuleOptions
{
    public const string SectionName = "TaxRule";

    [Required, StringLength(128, MinimumLength = 12)]
    public string Password { get; init; } = string.Empty;

    public string? ApiKey { get; init; }

    public Uri TokenEndpoint { get; init; } = new("https://login.example.com/oauth2/v2.0/token");

    public TimeSpan TokenLifetime { get; init; } = TimeSpan.FromMinutes(25);
}

public async Task<Result<ServiceAccountDto>> Handle(CreateServiceAccountCommand command, CancellationToken cancellationToken)
{
    var user = await _users.FindByNameAsync(command.UserName);
    if (user is null || !await _userManager.CheckPasswordAsync(user, command.Password))
    {
        _logger.LogWarning("Wrong password for {UserName} from {RemoteIp}", command.UserName, command.RemoteIp);
        return Result.Unauthorized();
    }
    var token = await _userManager.GeneratePasswordResetTokenAsync(user);
    await _mailer.SendAsync(user.Email, "Reset your password", $"{_baseUrl}/reset?token={WebUtility.UrlEncode(token)}", cancellationToken);
    return Result.Success(_mapper.Map<ServiceAccountDto>(user));
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

[Fact]
public async Task Returns_401_without_token()
{
    using var client = _factory.CreateClient();
    client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "invalid-token");
    var response = await client.GetAsync("/api/exchange-rate/5631");
    Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
}

[JsonPropertyName("access_token")] public required string AccessToken { get; init; }
[JsonPropertyName("expires_in")] public int ExpiresIn { get; init; }
[JsonPropertyName("refresh_token")] public string? RefreshToken { get; init; }
[Guid("a3608028-004e-4b6f-a9c7-c92b2546ba7f")] public interface IReportTokenSource { string GetToken(int version); }
[assembly: InternalsVisibleTo("Report.Tests, PublicKey=00240000048000009400000006020000")]

builder.Services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme)
    .AddJwtBearer(options =>
    {
        options.Authority = builder.Configuration["Auth:Authority"];
        options.Audience = "role-binding-api";
        options.TokenValidationParameters = new TokenValidationParameters
        {
            ValidateIssuerSigningKey = true,
            IssuerSigningKey = new SymmetricSecurityKey(Encoding.UTF8.GetBytes(builder.Configuration["Jwt:Key"]!)),
            ClockSkew = TimeSpan.FromSeconds(30),
        };
    });

protected override void Up(MigrationBuilder migrationBuilder)
{
    migrationBuilder.AddColumn<string>(name: "PasswordHash", table: "KeyRings", type: "nvarchar(256)", maxLength: 256, nullable: true);
    migrationBuilder.AddColumn<string>(name: "SecurityStamp", table: "KeyRings", nullable: false, defaultValue: "");
    migrationBuilder.CreateIndex(name: "IX_KeyRings_ApiKeyPrefix", table: "KeyRings", column: "ApiKeyPrefix", unique: true);
}

var secretClient = new SecretClient(new Uri("https://mail-template-kv.vault.azure.net/"), new DefaultAzureCredential());
KeyVaultSecret secret = await secretClient.GetSecretAsync("MailTemplate--ClientSecret--V2");
var connectionString = configuration.GetConnectionString("MailTemplateDatabase");
var password = Environment.GetEnvironmentVariable("MAIL_TEMPLATE_PASSWORD") ?? throw new InvalidOperationException("MAIL_TEMPLATE_PASSWORD is not set");
