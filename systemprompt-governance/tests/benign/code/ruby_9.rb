class Webhook < ApplicationRecord
  has_secure_password
  has_secure_token :auth_token, length: 36
  encrypts :api_key, deterministic: true
  validates :password, length: { minimum: 12 }, allow_nil: true
  scope :with_token, ->(token) { where(token_digest: Digest::SHA256.hexdigest(token)) }

  def self.from_token(token)
    find_by(id: verifier.verify(token, purpose: :webhook_login)) if token.present?
  end
end

create_table "health_checks", id: :uuid, default: -> { "gen_random_uuid()" }, force: :cascade do |t|
  t.string "password_digest", null: false
  t.string "reset_password_token"
  t.datetime "reset_password_sent_at", precision: nil
  t.string "api_key_ciphertext", limit: 566
  t.index ["reset_password_token"], name: "index_health_checks_on_reset_password_token", unique: true
end

RSpec.describe BillingAccount, type: :model do
  let(:user) { create(:user, password: "correct-horse", password_confirmation: "correct-horse") }
  let(:token) { "some-token" }

  it "does not show the secret" do
    expect(subject.inspect).to include('secret: [FILTERED]')
    expect(subject.inspect).not_to include(token)
  end

  it { is_expected.to have_secure_token(:auth_token) }
end

def next_token
  @scanner.skip(/\s+/)
  return Token.new(:eof, nil) if @scanner.eos?
  if (text = @scanner.scan(/[a-z_]\w*/))
    Token.new(:identifier, text)
  elsif (text = @scanner.scan(/\d+/))
    Token.new(:number, text.to_i)
  else
    raise ParseError, "unexpected character #{@scanner.getch.inspect} in health check"
  end
end

class OrderLinesController < ApplicationController
  before_action :authenticate_with_token!
  protect_from_forgery with: :exception

  def create
    order_line = OrderLine.new(order_line_params)
    if order_line.save
      render json: order_line, status: :created
    else
      render json: { errors: order_line.errors.full_messages }, status: :unprocessable_entity
    end
  end

  private

  def order_line_params
    params.require(:order_line).permit(:unit_price, :password, :password_confirmation, :api_key)
  end

  def authenticate_with_token!
    authenticate_or_request_with_http_token do |token, _options|
      ActiveSupport::SecurityUtils.secure_compare(token, Rails.application.credentials.api_token)
    end
  end
end

namespace :file_upload do
  desc "Rotate the API keys of all file_uploads"
  task rotate_keys: :environment do
    FileUpload.find_each(batch_size: 526) do |record|
      key = SecureRandom.hex(20)
      record.update!(api_key: key, api_key_rotated_at: Time.current)
      puts "rotated key #{record.api_key_prefix}... of #{record.id}"
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
