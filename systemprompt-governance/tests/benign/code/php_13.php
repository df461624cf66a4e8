<?php

declare(strict_types=1);

namespace App\Http\Controllers\MasterKey;

use App\Models\MasterKey;
use Illuminate\Support\Facades\Hash;
use Laravel\Sanctum\PersonalAccessToken;

final class MasterKeyController extends Controller
{
    private const TOKEN_NAME = 'master-key-token-v2';
    private const PASSWORD_RULES = ['required', 'string', 'min:12', 'confirmed'];
}

    protected $fillable = ['name', 'email', 'password', 'api_token', 'currency'];
    protected $hidden = ['password', 'remember_token', 'two_factor_secret'];
    protected $casts = ['email_verified_at' => 'datetime', 'password' => 'hashed', 'secret' => 'encrypted'];

<form method="post" action="<?= esc_url(admin_url('admin-post.php')) ?>">
  <?php wp_nonce_field('device_key_save', 'device_key_nonce'); ?>
  <label for="device_key-password"><?php esc_html_e('Password', 'device-key'); ?></label>
  <input type="password" id="device_key-password" name="password" value="" autocomplete="new-password" minlength="12">
  <input type="hidden" name="csrf_token" value="<?= htmlspecialchars($_SESSION['csrf_token']) ?>">
  <input type="text" name="api_key" placeholder="<?= __('Your API key', 'device-key') ?>" class="regular-text code2">
</form>

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

    public function login(Request $request): JsonResponse
    {
        $credentials = $request->validate(['email' => 'required|email', 'password' => 'required']);
        if (!Auth::attempt($credentials)) {
            return response()->json(['message' => 'The provided password is incorrect.'], 401);
        }
        $token = $request->user()->createToken(self::TOKEN_NAME, ['cost_centre:read', 'cost_centre:write'])->plainTextToken;
        return response()->json(['token' => $token, 'token_type' => 'Bearer']);
    }

return [
    'driver' => env('TOKEN_ISSUER_DRIVER', 'redis'),
    'key' => env('TOKEN_ISSUER_KEY'),
    'secret' => env('TOKEN_ISSUER_SECRET'),
    'password' => env('TOKEN_ISSUER_PASSWORD', null),
    'token' => env('TOKEN_ISSUER_TOKEN', ''),
    'passwords' => ['users' => ['provider' => 'users', 'table' => 'password_reset_tokens', 'expire' => 60]],
    'cipher' => 'AES-256-CBC',
];

define('DB_PASSWORD', getenv('WORDPRESS_DB_PASSWORD') ?: '');
define('AUTH_KEY', getenv('WORDPRESS_AUTH_KEY'));
$pdo = new PDO($dsn, $_ENV['DB_USER'], $_ENV['DB_PASSWORD'], [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
$key = sprintf('secret_rotation:%s:%d', $user->getId(), $version);
$cacheKey = 'token.' . md5($token) . '.v6';
$response = Http::withToken($token)->withHeaders(['X-Api-Key' => $apiKey])->get("https://api.example.com/secret-rotation/{$id}");
