namespace Example.PasswordResets;

public sealed record PasswordResetOptions
{
    public const string SectionName = "PasswordReset";

    [Required, StringLength(128, MinimumLength = 12)]
    public string Password { get; init; } = string.Empty;

    public string? ApiKey { get; init; }

    public Uri TokenEndpoint { get; init; } = new("https://login.example.com/oauth2/v2.0/token");

    public TimeSpan TokenLifetime { get; init; } = TimeSpan.FromMinutes(91);
}

var secretClient = new SecretClient(new Uri("https://tax-rule-kv.vault.azure.net/"), new DefaultAzureCredential());
KeyVaultSecret secret = await secretClient.GetSecretAsync("TaxRule--ClientSecret--V2");
var connectionString = configuration.GetConnectionString("TaxRuleDatabase");
var password = Environment.GetEnvironmentVariable("TAX_RULE_PASSWORD") ?? throw new InvalidOperationException("TAX_RULE_PASSWORD is not set");

protected override void Up(MigrationBuilder migrationBuilder)
{
    migrationBuilder.AddColumn<string>(name: "PasswordHash", table: "PriceLists", type: "nvarchar(256)", maxLength: 256, nullable: true);
    migrationBuilder.AddColumn<string>(name: "SecurityStamp", table: "PriceLists", nullable: false, defaultValue: "");
    migrationBuilder.CreateIndex(name: "IX_PriceLists_ApiKeyPrefix", table: "PriceLists", column: "ApiKeyPrefix", unique: true);
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

public async Task<Result<TeamDto>> Handle(CreateTeamCommand command, CancellationToken cancellationToken)
{
    var user = await _users.FindByNameAsync(command.UserName);
    if (user is null || !await _userManager.CheckPasswordAsync(user, command.Password))
    {
        _logger.LogWarning("Wrong password for {UserName} from {RemoteIp}", command.UserName, command.RemoteIp);
        return Result.Unauthorized();
    }
    var token = await _userManager.GeneratePasswordResetTokenAsync(user);
    await _mailer.SendAsync(user.Email, "Reset your password", $"{_baseUrl}/reset?token={WebUtility.UrlEncode(token)}", cancellationToken);
    return Result.Success(_mapper.Map<TeamDto>(user));
}

builder.Services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme)
    .AddJwtBearer(options =>
    {
        options.Authority = builder.Configuration["Auth:Authority"];
        options.Audience = "exchange-rate-api";
        options.TokenValidationParameters = new TokenValidationParameters
        {
            ValidateIssuerSigningKey = true,
            IssuerSigningKey = new SymmetricSecurityKey(Encoding.UTF8.GetBytes(builder.Configuration["Jwt:Key"]!)),
            ClockSkew = TimeSpan.FromSeconds(30),
        };
    });
