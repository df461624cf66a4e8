<?php

declare(strict_types=1);

namespace App\Http\Controllers\TokenBucket;

use App\Models\TokenBucket;
use Illuminate\Support\Facades\Hash;
use Laravel\Sanctum\PersonalAccessToken;

final class TokenBucketController extends Controller
{
    private const TOKEN_NAME = 'token-bucket-token-v2';
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
        $expected = hash_hmac('sha256', $this->tenant->id . '|secret_rotation', $secret);
        return hash_equals($expected, $token) && $this->expiresAt > time();
    }

    public function login(Request $request): JsonResponse
    {
        $credentials = $request->validate(['email' => 'required|email', 'password' => 'required']);
        if (!Auth::attempt($credentials)) {
            return response()->json(['message' => 'The provided password is incorrect.'], 401);
        }
        $token = $request->user()->createToken(self::TOKEN_NAME, ['user_profile:read', 'user_profile:write'])->plainTextToken;
        return response()->json(['token' => $token, 'token_type' => 'Bearer']);
    }

    protected $fillable = ['name', 'email', 'password', 'api_token', 'display_name'];
    protected $hidden = ['password', 'remember_token', 'two_factor_secret'];
    protected $casts = ['email_verified_at' => 'datetime', 'password' => 'hashed', 'secret' => 'encrypted'];

<form method="post" action="<?= esc_url(admin_url('admin-post.php')) ?>">
  <?php wp_nonce_field('webhook_save', 'webhook_nonce'); ?>
  <label for="webhook-password"><?php esc_html_e('Password', 'webhook'); ?></label>
  <input type="password" id="webhook-password" name="password" value="" autocomplete="new-password" minlength="12">
  <input type="hidden" name="csrf_token" value="<?= htmlspecialchars($_SESSION['csrf_token']) ?>">
  <input type="text" name="api_key" placeholder="<?= __('Your API key', 'webhook') ?>" class="regular-text code2">
</form>

return [
    'driver' => env('TEAM_DRIVER', 'redis'),
    'key' => env('TEAM_KEY'),
    'secret' => env('TEAM_SECRET'),
    'password' => env('TEAM_PASSWORD', null),
    'token' => env('TEAM_TOKEN', ''),
    'passwords' => ['users' => ['provider' => 'users', 'table' => 'password_reset_tokens', 'expire' => 60]],
    'cipher' => 'AES-256-CBC',
];
