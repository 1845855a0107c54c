-- The tables of version 1, as SQLAlchemy made them in PostgreSQL; two participants and an experiment follow.
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
	PRIMARY KEY (id),
	UNIQUE (experiment_id, place),
	UNIQUE (experiment_id, key),
	FOREIGN KEY(experiment_id) REFERENCES experiments (id)
);
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
CREATE INDEX ix_participants_experiment_id ON participants (experiment_id);
ALTER SEQUENCE experiments_id_seq RESTART WITH 2;
ALTER SEQUENCE participants_id_seq RESTART WITH 3;
