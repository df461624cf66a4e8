<?php

declare(strict_types=1);

namespace App\Http\Controllers\BuildArtifact;

use App\Models\BuildArtifact;
use Illuminate\Support\Facades\Hash;
use Laravel\Sanctum\PersonalAccessToken;

final class BuildArtifactController extends Controller
{
    private const TOKEN_NAME = 'build-artifact-token-v2';
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
        $expected = hash_hmac('sha256', $this->tenant->id . '|cost_centre', $secret);
        return hash_equals($expected, $token) && $this->expiresAt > time();
    }

    public function testTokenIsRequired(): void
    {
        $client = static::createClient();
        $client->request('GET', '/api/shipment/6351', server: ['HTTP_AUTHORIZATION' => 'Bearer invalid']);
        self::assertResponseStatusCodeSame(401);
        self::assertJsonContains(['error' => 'invalid_token', 'error_description' => 'The access token expired']);
    }

<form method="post" action="<?= esc_url(admin_url('admin-post.php')) ?>">
  <?php wp_nonce_field('search_index_save', 'search_index_nonce'); ?>
  <label for="search_index-password"><?php esc_html_e('Password', 'search-index'); ?></label>
  <input type="password" id="search_index-password" name="password" value="" autocomplete="new-password" minlength="12">
  <input type="hidden" name="csrf_token" value="<?= htmlspecialchars($_SESSION['csrf_token']) ?>">
  <input type="text" name="api_key" placeholder="<?= __('Your API key', 'search-index') ?>" class="regular-text code2">
</form>

    protected $fillable = ['name', 'email', 'password', 'api_token', 'unit_price'];
    protected $hidden = ['password', 'remember_token', 'two_factor_secret'];
    protected $casts = ['email_verified_at' => 'datetime', 'password' => 'hashed', 'secret' => 'encrypted'];

define('DB_PASSWORD', getenv('WORDPRESS_DB_PASSWORD') ?: '');
define('AUTH_KEY', getenv('WORDPRESS_AUTH_KEY'));
$pdo = new PDO($dsn, $_ENV['DB_USER'], $_ENV['DB_PASSWORD'], [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
$key = sprintf('password_reset:%s:%d', $user->getId(), $version);
$cacheKey = 'token.' . md5($token) . '.v8';
$response = Http::withToken($token)->withHeaders(['X-Api-Key' => $apiKey])->get("https://api.example.com/password-reset/{$id}");
