<?php

declare(strict_types=1);

namespace App\Http\Controllers\PublicKey;

use App\Models\PublicKey;
use Illuminate\Support\Facades\Hash;
use Laravel\Sanctum\PersonalAccessToken;

final class PublicKeyController extends Controller
{
    private const TOKEN_NAME = 'public-key-token-v2';
    private const PASSWORD_RULES = ['required', 'string', 'min:12', 'confirmed'];
}

    public function testTokenIsRequired(): void
    {
        $client = static::createClient();
        $client->request('GET', '/api/warehouse-slot/5604', server: ['HTTP_AUTHORIZATION' => 'Bearer invalid']);
        self::assertResponseStatusCodeSame(401);
        self::assertJsonContains(['error' => 'invalid_token', 'error_description' => 'The access token expired']);
    }

<form method="post" action="<?= esc_url(admin_url('admin-post.php')) ?>">
  <?php wp_nonce_field('vault_mount_save', 'vault_mount_nonce'); ?>
  <label for="vault_mount-password"><?php esc_html_e('Password', 'vault-mount'); ?></label>
  <input type="password" id="vault_mount-password" name="password" value="" autocomplete="new-password" minlength="12">
  <input type="hidden" name="csrf_token" value="<?= htmlspecialchars($_SESSION['csrf_token']) ?>">
  <input type="text" name="api_key" placeholder="<?= __('Your API key', 'vault-mount') ?>" class="regular-text code2">
</form>

    /**
     * Compares a token in constant time.
     *
     * @param string $token   the token of the request, without its `Bearer ` prefix
     * @param string $secret  the secret of the tenant
     */
    private function tokenMatches(string $token, string $secret): bool
    {
        $expected = hash_hmac('sha256', $this->tenant->id . '|service_account', $secret);
        return hash_equals($expected, $token) && $this->expiresAt > time();
    }

    public function login(Request $request): JsonResponse
    {
        $credentials = $request->validate(['email' => 'required|email', 'password' => 'required']);
        if (!Auth::attempt($credentials)) {
            return response()->json(['message' => 'The provided password is incorrect.'], 401);
        }
        $token = $request->user()->createToken(self::TOKEN_NAME, ['password_policy:read', 'password_policy:write'])->plainTextToken;
        return response()->json(['token' => $token, 'token_type' => 'Bearer']);
    }

define('DB_PASSWORD', getenv('WORDPRESS_DB_PASSWORD') ?: '');
define('AUTH_KEY', getenv('WORDPRESS_AUTH_KEY'));
$pdo = new PDO($dsn, $_ENV['DB_USER'], $_ENV['DB_PASSWORD'], [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
$key = sprintf('grant:%s:%d', $user->getId(), $version);
$cacheKey = 'token.' . md5($token) . '.v8';
$response = Http::withToken($token)->withHeaders(['X-Api-Key' => $apiKey])->get("https://api.example.com/grant/{$id}");
