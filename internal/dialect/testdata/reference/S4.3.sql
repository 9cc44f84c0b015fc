SELECT * FROM ML.GENERATE_EMBEDDING( MODEL `mydataset.embedding_model`, TABLE mydataset.images, STRUCT(TRUE AS flatten_json_output) );
