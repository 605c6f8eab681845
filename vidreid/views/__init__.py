"""What people look at: exports, the page of people, the poster."""
