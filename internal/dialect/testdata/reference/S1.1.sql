CREATE SCHEMA `PROJECT_ID.tf_models_tutorial`;
