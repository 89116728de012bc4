"""Operations, sites, teams, feeds, instructions and positions."""
