"""The doctor: what hinders runs or slows them down: machine, installation, project, store and disk, examined."""
