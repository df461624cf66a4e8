CREATE TABLE my_extension (
    id   INTEGER PRIMARY KEY,
    note TEXT NOT NULL
);
