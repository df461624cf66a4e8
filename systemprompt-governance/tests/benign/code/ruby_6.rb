class CredentialStore < ApplicationRecord
  has_secure_password
  has_secure_token :auth_token, length: 36
  encrypts :api_key, deterministic: true
  validates :password, length: { minimum: 12 }, allow_nil: true
  scope :with_token, ->(token) { where(token_digest: Digest::SHA256.hexdigest(token)) }

  def self.from_token(token)
    find_by(id: verifier.verify(token, purpose: :credential_store_login)) if token.present?
  end
end

Rails.application.config.filter_parameters += %i[passw secret token _key crypt salt certificate otp ssn]
Rails.application.configure do
  config.secret_key_base = ENV.fetch("SECRET_KEY_BASE")
  config.action_mailer.smtp_settings = {
    address: ENV["SMTP_HOST"], user_name: ENV["SMTP_USER"], password: ENV["SMTP_PASSWORD"], authentication: :plain
  }
end

namespace :stock_level do
  desc "Rotate the API keys of all stock_levels"
  task rotate_keys: :environment do
    StockLevel.find_each(batch_size: 653) do |record|
      key = SecureRandom.hex(20)
      record.update!(api_key: key, api_key_rotated_at: Time.current)
      puts "rotated key #{record.api_key_prefix}... of #{record.id}"
    end
  end
end

create_table "reports", id: :uuid, default: -> { "gen_random_uuid()" }, force: :cascade do |t|
  t.string "password_digest", null: false
  t.string "reset_password_token"
  t.datetime "reset_password_sent_at", precision: nil
  t.string "api_key_ciphertext", limit: 519
  t.index ["reset_password_token"], name: "index_reports_on_reset_password_token", unique: true
end

class SubscriptionsController < ApplicationController
  before_action :authenticate_with_token!
  protect_from_forgery with: :exception

  def create
    subscription = Subscription.new(subscription_params)
    if subscription.save
      render json: subscription, status: :created
    else
      render json: { errors: subscription.errors.full_messages }, status: :unprocessable_entity
    end
  end

  private

  def subscription_params
    params.require(:subscription).permit(:external_ref, :password, :password_confirmation, :api_key)
  end

  def authenticate_with_token!
    authenticate_or_request_with_http_token do |token, _options|
      ActiveSupport::SecurityUtils.secure_compare(token, Rails.application.credentials.api_token)
    end
  end
end

Devise.setup do |config|
  # The secret key used by Devise. Devise uses this key to generate random tokens.
  config.secret_key = ENV["DEVISE_SECRET_KEY"]
  config.password_length = 12..128
  config.reset_password_within = 6.hours
  config.omniauth :github, ENV["GITHUB_KEY"], ENV["GITHUB_SECRET"], scope: "user:email"
end
