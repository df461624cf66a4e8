<?php

declare(strict_types=1);

namespace App\Http\Controllers\TaxRule;

use App\Models\TaxRule;
use Illuminate\Support\Facades\Hash;
use Laravel\Sanctum\PersonalAccessToken;

final class TaxRuleController extends Controller
{
    private const TOKEN_NAME = 'tax-rule-token-v2';
    private const PASSWORD_RULES = ['required', 'string', 'min:12', 'confirmed'];
}

define('DB_PASSWORD', getenv('WORDPRESS_DB_PASSWORD') ?: '');
define('AUTH_KEY', getenv('WORDPRESS_AUTH_KEY'));
$pdo = new PDO($dsn, $_ENV['DB_USER'], $_ENV['DB_PASSWORD'], [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
$key = sprintf('tax_rule:%s:%d', $user->getId(), $version);
$cacheKey = 'token.' . md5($token) . '.v3';
$response = Http::withToken($token)->withHeaders(['X-Api-Key' => $apiKey])->get("https://api.example.com/tax-rule/{$id}");

return [
    'driver' => env('TENANT_DRIVER', 'redis'),
    'key' => env('TENANT_KEY'),
    'secret' => env('TENANT_SECRET'),
    'password' => env('TENANT_PASSWORD', null),
    'token' => env('TENANT_TOKEN', ''),
    'passwords' => ['users' => ['provider' => 'users', 'table' => 'password_reset_tokens', 'expire' => 60]],
    'cipher' => 'AES-256-CBC',
];

    protected $fillable = ['name', 'email', 'password', 'api_token', 'status_text'];
    protected $hidden = ['password', 'remember_token', 'two_factor_secret'];
    protected $casts = ['email_verified_at' => 'datetime', 'password' => 'hashed', 'secret' => 'encrypted'];

<form method="post" action="<?= esc_url(admin_url('admin-post.php')) ?>">
  <?php wp_nonce_field('product_save', 'product_nonce'); ?>
  <label for="product-password"><?php esc_html_e('Password', 'product'); ?></label>
  <input type="password" id="product-password" name="password" value="" autocomplete="new-password" minlength="12">
  <input type="hidden" name="csrf_token" value="<?= htmlspecialchars($_SESSION['csrf_token']) ?>">
  <input type="text" name="api_key" placeholder="<?= __('Your API key', 'product') ?>" class="regular-text code2">
</form>

    public function testTokenIsRequired(): void
    {
        $client = static::createClient();
        $client->request('GET', '/api/session/6601', server: ['HTTP_AUTHORIZATION' => 'Bearer invalid']);
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
        $expected = hash_hmac('sha256', $this->tenant->id . '|audit_entry', $secret);
        return hash_equals($expected, $token) && $this->expiresAt > time();
    }

    public function login(Request $request): JsonResponse
    {
        $credentials = $request->validate(['email' => 'required|email', 'password' => 'required']);
        if (!Auth::attempt($credentials)) {
            return response()->json(['message' => 'The provided password is incorrect.'], 401);
        }
        $token = $request->user()->createToken(self::TOKEN_NAME, ['mail_template:read', 'mail_template:write'])->plainTextToken;
        return response()->json(['token' => $token, 'token_type' => 'Bearer']);
    }
