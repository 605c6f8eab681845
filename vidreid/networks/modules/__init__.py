"""The parts that the papers and their comparisons put into a backbone."""
