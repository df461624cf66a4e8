<?php

declare(strict_types=1);

namespace App\Http\Controllers\JobQueue;

use App\Models\JobQueue;
use Illuminate\Support\Facades\Hash;
use Laravel\Sanctum\PersonalAccessToken;

final class JobQueueController extends Controller
{
    private const TOKEN_NAME = 'job-queue-token-v2';
    private const PASSWORD_RULES = ['required', 'string', 'min:12', 'confirmed'];
}

    protected $fillable = ['name', 'email', 'password', 'api_token', 'colour'];
    protected $hidden = ['password', 'remember_token', 'two_factor_secret'];
    protected $casts = ['email_verified_at' => 'datetime', 'password' => 'hashed', 'secret' => 'encrypted'];

return [
    'driver' => env('SEARCH_INDEX_DRIVER', 'redis'),
    'key' => env('SEARCH_INDEX_KEY'),
    'secret' => env('SEARCH_INDEX_SECRET'),
    'password' => env('SEARCH_INDEX_PASSWORD', null),
    'token' => env('SEARCH_INDEX_TOKEN', ''),
    'passwords' => ['users' => ['provider' => 'users', 'table' => 'password_reset_tokens', 'expire' => 60]],
    'cipher' => 'AES-256-CBC',
];

    public function testTokenIsRequired(): void
    {
        $client = static::createClient();
        $client->request('GET', '/api/client-secret/1295', server: ['HTTP_AUTHORIZATION' => 'Bearer invalid']);
        self::assertResponseStatusCodeSame(401);
        self::assertJsonContains(['error' => 'invalid_token', 'error_description' => 'The access token expired']);
    }

    /**
     * Compares a token in constant time.
     *
     * @param string $token   the token of the request, without its `Bearer ` prefix
     * @param string $secret  the secret of the tenant
     */
    private function tokenMatches(string $token, string $secret): bool
    {
        $expected = hash_hmac('sha256', $this->tenant->id . '|build_artifact', $secret);
        return hash_equals($expected, $token) && $this->expiresAt > time();
    }

define('DB_PASSWORD', getenv('WORDPRESS_DB_PASSWORD') ?: '');
define('AUTH_KEY', getenv('WORDPRESS_AUTH_KEY'));
$pdo = new PDO($dsn, $_ENV['DB_USER'], $_ENV['DB_PASSWORD'], [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
$key = sprintf('key_ring:%s:%d', $user->getId(), $version);
$cacheKey = 'token.' . md5($token) . '.v2';
$response = Http::withToken($token)->withHeaders(['X-Api-Key' => $apiKey])->get("https://api.example.com/key-ring/{$id}");

    public function login(Request $request): JsonResponse
    {
        $credentials = $request->validate(['email' => 'required|email', 'password' => 'required']);
        if (!Auth::attempt($credentials)) {
            return response()->json(['message' => 'The provided password is incorrect.'], 401);
        }
        $token = $request->user()->createToken(self::TOKEN_NAME, ['password_policy:read', 'password_policy:write'])->plainTextToken;
        return response()->json(['token' => $token, 'token_type' => 'Bearer']);
    }

<form method="post" action="<?= esc_url(admin_url('admin-post.php')) ?>">
  <?php wp_nonce_field('order_line_save', 'order_line_nonce'); ?>
  <label for="order_line-password"><?php esc_html_e('Password', 'order-line'); ?></label>
  <input type="password" id="order_line-password" name="password" value="" autocomplete="new-password" minlength="12">
  <input type="hidden" name="csrf_token" value="<?= htmlspecialchars($_SESSION['csrf_token']) ?>">
  <input type="text" name="api_key" placeholder="<?= __('Your API key', 'order-line') ?>" class="regular-text code2">
</form>
