namespace Example.SecretVersions;

public sealed record SecretVersionOptions
{
    public const string SectionName = "SecretVersion";

    [Required, StringLength(128, MinimumLength = 12)]
    public string Password { get; init; } = string.Empty;

    public string? ApiKey { get; init; }

    public Uri TokenEndpoint { get; init; } = new("https://login.example.com/oauth2/v2.0/token");

    public TimeSpan TokenLifetime { get; init; } = TimeSpan.FromMinutes(46);
}

var secretClient = new SecretClient(new Uri("https://cache-entry-kv.vault.azure.net/"), new DefaultAzureCredential());
KeyVaultSecret secret = await secretClient.GetSecretAsync("CacheEntry--ClientSecret--V2");
var connectionString = configuration.GetConnectionString("CacheEntryDatabase");
var password = Environment.GetEnvironmentVariable("CACHE_ENTRY_PASSWORD") ?? throw new InvalidOperationException("CACHE_ENTRY_PASSWORD is not set");

[JsonPropertyName("access_token")] public required string AccessToken { get; init; }
[JsonPropertyName("expires_in")] public int ExpiresIn { get; init; }
[JsonPropertyName("refresh_token")] public string? RefreshToken { get; init; }
[Guid("bacce880-b0b1-4443-acc5-a83a2bdabcc8")] public interface IStockLevelTokenSource { string GetToken(int version); }
[assembly: InternalsVisibleTo("StockLevel.Tests, PublicKey=00240000048000009400000006020000")]

public async Task<Result<FileUploadDto>> Handle(CreateFileUploadCommand command, CancellationToken cancellationToken)
{
    var user = await _users.FindByNameAsync(command.UserName);
    if (user is null || !await _userManager.CheckPasswordAsync(user, command.Password))
    {
        _logger.LogWarning("Wrong password for {UserName} from {RemoteIp}", command.UserName, command.RemoteIp);
        return Result.Unauthorized();
    }
    var token = await _userManager.GeneratePasswordResetTokenAsync(user);
    await _mailer.SendAsync(user.Email, "Reset your password", $"{_baseUrl}/reset?token={WebUtility.UrlEncode(token)}", cancellationToken);
    return Result.Success(_mapper.Map<FileUploadDto>(user));
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
    var response = await client.GetAsync("/api/price-list/7924");
    Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
}

protected override void Up(MigrationBuilder migrationBuilder)
{
    migrationBuilder.AddColumn<string>(name: "PasswordHash", table: "FileUploads", type: "nvarchar(256)", maxLength: 256, nullable: true);
    migrationBuilder.AddColumn<string>(name: "SecurityStamp", table: "FileUploads", nullable: false, defaultValue: "");
    migrationBuilder.CreateIndex(name: "IX_FileUploads_ApiKeyPrefix", table: "FileUploads", column: "ApiKeyPrefix", unique: true);
}
