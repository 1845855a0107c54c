-- The tables of version 5, as SQLAlchemy made them in PostgreSQL.
CREATE TABLE consents (
	hash VARCHAR NOT NULL,
	language VARCHAR NOT NULL,
	text TEXT NOT NULL,
	PRIMARY KEY (hash)
);
CREATE TABLE experiments (
	id SERIAL NOT NULL,
	name VARCHAR NOT NULL,
	checksum VARCHAR NOT NULL,
	study VARCHAR,
	seed BIGINT NOT NULL,
	folder TEXT NOT NULL,
	protocol TEXT NOT NULL,
	algorithms TEXT NOT NULL,
	participants INTEGER NOT NULL,
	closed BOOLEAN NOT NULL,
	created DOUBLE PRECISION NOT NULL,
	PRIMARY KEY (id),
	UNIQUE (name)
);
CREATE TABLE settings (
	name VARCHAR NOT NULL,
	value VARCHAR NOT NULL,
	PRIMARY KEY (name)
);
CREATE TABLE participants (
	id SERIAL NOT NULL,
	experiment_id INTEGER NOT NULL,
	key VARCHAR NOT NULL,
	place INTEGER NOT NULL,
	algorithm TEXT NOT NULL,
	color_vision VARCHAR NOT NULL,
	started DOUBLE PRECISION NOT NULL,
	finished DOUBLE PRECISION,
	consent VARCHAR,
	external_id VARCHAR,
	screened_out DOUBLE PRECISION,
	comment TEXT,
	PRIMARY KEY (id),
	UNIQUE (experiment_id, place),
	UNIQUE (experiment_id, key),
	FOREIGN KEY(experiment_id) REFERENCES experiments (id),
	FOREIGN KEY(consent) REFERENCES consents (hash)
);
CREATE INDEX ix_participants_experiment_id ON participants (experiment_id);
CREATE TABLE withdrawals (
	participant_id INTEGER NOT NULL,
	experiment_id INTEGER NOT NULL,
	key VARCHAR NOT NULL,
	algorithm TEXT NOT NULL,
	withdrawn DOUBLE PRECISION NOT NULL,
	by VARCHAR NOT NULL,
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
	exposure_ms DOUBLE PRECISION,
	choice VARCHAR,
	response_ms DOUBLE PRECISION,
	answered DOUBLE PRECISION,
	PRIMARY KEY (participant_id, number),
	FOREIGN KEY(participant_id) REFERENCES participants (id)
);
ALTER TABLE experiments ADD COLUMN questions TEXT;
CREATE TABLE own_answers (participant_id INTEGER NOT NULL, part VARCHAR NOT NULL, questions VARCHAR NOT NULL, answers TEXT NOT NULL, answered DOUBLE PRECISION NOT NULL, PRIMARY KEY (participant_id, part), FOREIGN KEY (participant_id) REFERENCES participants (id));
CREATE TABLE devices (participant_id INTEGER NOT NULL, window_width INTEGER NOT NULL, window_height INTEGER NOT NULL, screen_width INTEGER NOT NULL, screen_height INTEGER NOT NULL, pixel_ratio DOUBLE PRECISION NOT NULL, touch BOOLEAN NOT NULL, refresh_rate DOUBLE PRECISION NOT NULL, browser VARCHAR NOT NULL, PRIMARY KEY (participant_id), FOREIGN KEY (participant_id) REFERENCES participants (id));
CREATE TABLE turned_away (experiment_id INTEGER NOT NULL, gate VARCHAR NOT NULL, browsers INTEGER NOT NULL, PRIMARY KEY (experiment_id, gate), FOREIGN KEY (experiment_id) REFERENCES experiments (id));
ALTER TABLE trials ADD COLUMN algorithm TEXT;
ALTER TABLE trials ADD COLUMN other TEXT;
INSERT INTO settings VALUES('schema version','5');
ALTER SEQUENCE experiments_id_seq RESTART WITH 2;
ALTER SEQUENCE participants_id_seq RESTART WITH 3;
