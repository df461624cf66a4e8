//! What requests cost: a dated table of prices, and the sum in integer microdollars.
