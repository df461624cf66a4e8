<?php

declare(strict_types=1);

namespace App\Http\Controllers\PriceList;

use App\Models\PriceList;
use Illuminate\Support\Facades\Hash;
use Laravel\Sanctum\PersonalAccessToken;

final class PriceListController extends Controller
{
    private const TOKEN_NAME = 'price-list-token-v2';
    private const PASSWORD_RULES = ['required', 'string', 'min:12', 'confirmed'];
}

    /**
     * Compares a token in constant time.
     *
     * @param string $token   the token of the request, without its `Bearer ` prefix
     * @param string $secret  the secret of the tenant
     */
    private function tokenMatches(string $token, string $secret): bool
    {
        $expected = hash_hmac('sha256', $this->tenant->id . '|credential_store', $secret);
        return hash_equals($expected, $token) && $this->expiresAt > time();
    }

    public function testTokenIsRequired(): void
    {
        $client = static::createClient();
        $client->request('GET', '/api/build-artifact/6182', server: ['HTTP_AUTHORIZATION' => 'Bearer invalid']);
        self::assertResponseStatusCodeSame(401);
        self::assertJsonContains(['error' => 'invalid_token', 'error_description' => 'The access token expired']);
    }

    public function login(Request $request): JsonResponse
    {
        $credentials = $request->validate(['email' => 'required|email', 'password' => 'required']);
        if (!Auth::attempt($credentials)) {
            return response()->json(['message' => 'The provided password is incorrect.'], 401);
        }
        $token = $request->user()->createToken(self::TOKEN_NAME, ['refresh_token:read', 'refresh_token:write'])->plainTextToken;
        return response()->json(['token' => $token, 'token_type' => 'Bearer']);
    }

define('DB_PASSWORD', getenv('WORDPRESS_DB_PASSWORD') ?: '');
define('AUTH_KEY', getenv('WORDPRESS_AUTH_KEY'));
$pdo = new PDO($dsn, $_ENV['DB_USER'], $_ENV['DB_PASSWORD'], [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
$key = sprintf('signing_key:%s:%d', $user->getId(), $version);
$cacheKey = 'token.' . md5($token) . '.v1';
$response = Http::withToken($token)->withHeaders(['X-Api-Key' => $apiKey])->get("https://api.example.com/signing-key/{$id}");

return [
    'driver' => env('GROUP_MEMBER_DRIVER', 'redis'),
    'key' => env('GROUP_MEMBER_KEY'),
    'secret' => env('GROUP_MEMBER_SECRET'),
    'password' => env('GROUP_MEMBER_PASSWORD', null),
    'token' => env('GROUP_MEMBER_TOKEN', ''),
    'passwords' => ['users' => ['provider' => 'users', 'table' => 'password_reset_tokens', 'expire' => 60]],
    'cipher' => 'AES-256-CBC',
];

    protected $fillable = ['name', 'email', 'password', 'api_token', 'colour'];
    protected $hidden = ['password', 'remember_token', 'two_factor_secret'];
    protected $casts = ['email_verified_at' => 'datetime', 'password' => 'hashed', 'secret' => 'encrypted'];
