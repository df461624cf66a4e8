//! Puts secrets where they were declared, after the policy has decided and the audit log has recorded.
