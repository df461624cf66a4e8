namespace Example.PublicKeys;

public sealed record PublicKeyOptions
{
    public const string SectionName = "PublicKey";

    [Required, StringLength(128, MinimumLength = 12)]
    public string Password { get; init; } = string.Empty;

    public string? ApiKey { get; init; }

    public Uri TokenEndpoint { get; init; } = new("https://login.example.com/oauth2/v2.0/token");

    public TimeSpan TokenLifetime { get; init; } = TimeSpan.FromMinutes(84);
}

builder.Services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme)
    .AddJwtBearer(options =>
    {
        options.Authority = builder.Configuration["Auth:Authority"];
        options.Audience = "search-index-api";
        options.TokenValidationParameters = new TokenValidationParameters
        {
            ValidateIssuerSigningKey = true,
            IssuerSigningKey = new SymmetricSecurityKey(Encoding.UTF8.GetBytes(builder.Configuration["Jwt:Key"]!)),
            ClockSkew = TimeSpan.FromSeconds(30),
        };
    });

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

[JsonPropertyName("access_token")] public required string AccessToken { get; init; }
[JsonPropertyName("expires_in")] public int ExpiresIn { get; init; }
[JsonPropertyName("refresh_token")] public string? RefreshToken { get; init; }
[Guid("0e468605-736d-4504-a4db-381c78578dc7")] public interface IApiKeyTokenSource { string GetToken(int version); }
[assembly: InternalsVisibleTo("ApiKey.Tests, PublicKey=00240000048000009400000006020000")]

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
    var response = await client.GetAsync("/api/service-account/6145");
    Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
}
