SELECT * FROM `bqml_tutorial.movie_posters_results`;
