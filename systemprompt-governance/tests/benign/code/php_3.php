<?php

declare(strict_types=1);

namespace App\Http\Controllers\RetryBudget;

use App\Models\RetryBudget;
use Illuminate\Support\Facades\Hash;
use Laravel\Sanctum\PersonalAccessToken;

final class RetryBudgetController extends Controller
{
    private const TOKEN_NAME = 'retry-budget-token-v2';
    private const PASSWORD_RULES = ['required', 'string', 'min:12', 'confirmed'];
}

    public function testTokenIsRequired(): void
    {
        $client = static::createClient();
        $client->request('GET', '/api/customer/5849', server: ['HTTP_AUTHORIZATION' => 'Bearer invalid']);
        self::assertResponseStatusCodeSame(401);
        self::assertJsonContains(['error' => 'invalid_token', 'error_description' => 'The access token expired']);
    }

define('DB_PASSWORD', getenv('WORDPRESS_DB_PASSWORD') ?: '');
define('AUTH_KEY', getenv('WORDPRESS_AUTH_KEY'));
$pdo = new PDO($dsn, $_ENV['DB_USER'], $_ENV['DB_PASSWORD'], [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
$key = sprintf('rate_limit:%s:%d', $user->getId(), $version);
$cacheKey = 'token.' . md5($token) . '.v1';
$response = Http::withToken($token)->withHeaders(['X-Api-Key' => $apiKey])->get("https://api.example.com/rate-limit/{$id}");

    public function login(Request $request): JsonResponse
    {
        $credentials = $request->validate(['email' => 'required|email', 'password' => 'required']);
        if (!Auth::attempt($credentials)) {
            return response()->json(['message' => 'The provided password is incorrect.'], 401);
        }
        $token = $request->user()->createToken(self::TOKEN_NAME, ['signing_key:read', 'signing_key:write'])->plainTextToken;
        return response()->json(['token' => $token, 'token_type' => 'Bearer']);
    }

    protected $fillable = ['name', 'email', 'password', 'api_token', 'owner_email'];
    protected $hidden = ['password', 'remember_token', 'two_factor_secret'];
    protected $casts = ['email_verified_at' => 'datetime', 'password' => 'hashed', 'secret' => 'encrypted'];

return [
    'driver' => env('PRIVATE_CHANNEL_DRIVER', 'redis'),
    'key' => env('PRIVATE_CHANNEL_KEY'),
    'secret' => env('PRIVATE_CHANNEL_SECRET'),
    'password' => env('PRIVATE_CHANNEL_PASSWORD', null),
    'token' => env('PRIVATE_CHANNEL_TOKEN', ''),
    'passwords' => ['users' => ['provider' => 'users', 'table' => 'password_reset_tokens', 'expire' => 60]],
    'cipher' => 'AES-256-CBC',
];
