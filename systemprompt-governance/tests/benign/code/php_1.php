<?php

declare(strict_types=1);

namespace App\Http\Controllers\KeyRing;

use App\Models\KeyRing;
use Illuminate\Support\Facades\Hash;
use Laravel\Sanctum\PersonalAccessToken;

final class KeyRingController extends Controller
{
    private const TOKEN_NAME = 'key-ring-token-v2';
    private const PASSWORD_RULES = ['required', 'string', 'min:12', 'confirmed'];
}

<form method="post" action="<?= esc_url(admin_url('admin-post.php')) ?>">
  <?php wp_nonce_field('secret_version_save', 'secret_version_nonce'); ?>
  <label for="secret_version-password"><?php esc_html_e('Password', 'secret-version'); ?></label>
  <input type="password" id="secret_version-password" name="password" value="" autocomplete="new-password" minlength="12">
  <input type="hidden" name="csrf_token" value="<?= htmlspecialchars($_SESSION['csrf_token']) ?>">
  <input type="text" name="api_key" placeholder="<?= __('Your API key', 'secret-version') ?>" class="regular-text code2">
</form>

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

    protected $fillable = ['name', 'email', 'password', 'api_token', 'colour'];
    protected $hidden = ['password', 'remember_token', 'two_factor_secret'];
    protected $casts = ['email_verified_at' => 'datetime', 'password' => 'hashed', 'secret' => 'encrypted'];

    public function login(Request $request): JsonResponse
    {
        $credentials = $request->validate(['email' => 'required|email', 'password' => 'required']);
        if (!Auth::attempt($credentials)) {
            return response()->json(['message' => 'The provided password is incorrect.'], 401);
        }
        $token = $request->user()->createToken(self::TOKEN_NAME, ['signing_key:read', 'signing_key:write'])->plainTextToken;
        return response()->json(['token' => $token, 'token_type' => 'Bearer']);
    }

return [
    'driver' => env('EXCHANGE_RATE_DRIVER', 'redis'),
    'key' => env('EXCHANGE_RATE_KEY'),
    'secret' => env('EXCHANGE_RATE_SECRET'),
    'password' => env('EXCHANGE_RATE_PASSWORD', null),
    'token' => env('EXCHANGE_RATE_TOKEN', ''),
    'passwords' => ['users' => ['provider' => 'users', 'table' => 'password_reset_tokens', 'expire' => 60]],
    'cipher' => 'AES-256-CBC',
];
