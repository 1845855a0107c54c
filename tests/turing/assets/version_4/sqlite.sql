-- The tables of version 4, as SQLAlchemy made them in SQLite.
CREATE TABLE consents (
	hash VARCHAR NOT NULL,
	language VARCHAR NOT NULL,
	text TEXT NOT NULL,
	PRIMARY KEY (hash)
);
CREATE TABLE experiments (
	id INTEGER NOT NULL,
	name VARCHAR NOT NULL,
	checksum VARCHAR NOT NULL,
	study VARCHAR,
	seed BIGINT NOT NULL,
	folder TEXT NOT NULL,
	protocol TEXT NOT NULL,
	algorithms TEXT NOT NULL,
	participants INTEGER NOT NULL,
	closed BOOLEAN NOT NULL,
	created DOUBLE NOT NULL,
	PRIMARY KEY (id),
	UNIQUE (name)
);
CREATE TABLE settings (
	name VARCHAR NOT NULL,
	value VARCHAR NOT NULL,
	PRIMARY KEY (name)
);
CREATE TABLE participants (
	id INTEGER NOT NULL,
	experiment_id INTEGER NOT NULL,
	"key" VARCHAR NOT NULL,
	place INTEGER NOT NULL,
	algorithm TEXT NOT NULL,
	color_vision VARCHAR NOT NULL,
	started DOUBLE NOT NULL,
	finished DOUBLE,
	consent VARCHAR,
	external_id VARCHAR,
	screened_out DOUBLE,
	comment TEXT,
	PRIMARY KEY (id),
	UNIQUE (experiment_id, place),
	UNIQUE (experiment_id, "key"),
	FOREIGN KEY(experiment_id) REFERENCES experiments (id),
	FOREIGN KEY(consent) REFERENCES consents (hash)
);
CREATE INDEX ix_participants_experiment_id ON participants (experiment_id);
CREATE TABLE withdrawals (
	participant_id INTEGER NOT NULL,
	experiment_id INTEGER NOT NULL,
	"key" VARCHAR NOT NULL,
	algorithm TEXT NOT NULL,
	withdrawn DOUBLE NOT NULL,
	"by" VARCHAR NOT NULL,
	PRIMARY KEY (participant_id),
	FOREIGN KEY(experiment_id) REFERENCES experiments (id)
);
CREATE INDEX ix_withdrawals_experiment_id ON withdrawals (experiment_id);
CREATE TABLE trials (
	participant_id INTEGER NOT NULL,
	number INTEGER NOT NULL,
	kind VARCHAR NOT NULL,
	photograph TEXT NOT NULL,
	real VARCHAR NOT NULL,
	recolored VARCHAR NOT NULL,
	real_side VARCHAR NOT NULL,
	loads INTEGER NOT NULL,
	shown BOOLEAN NOT NULL,
	exposure_ms DOUBLE,
	choice VARCHAR,
	response_ms DOUBLE,
	answered DOUBLE,
	PRIMARY KEY (participant_id, number),
	FOREIGN KEY(participant_id) REFERENCES participants (id)
);
INSERT INTO settings VALUES('schema version','4');
