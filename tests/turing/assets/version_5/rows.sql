-- Seven answers of one participant, three of another.
INSERT INTO "experiments" VALUES(1,'drawn','4dce1b03d7ae0593a7db7e4a4f278a741ffb43e3619b6ee07a471206578055e0',NULL,2238490546357610943,'/gone/drawn','{"practice":2,"test":4,"checks":1,"exposure_ms":200,"rules":{"max_failed_checks":1,"leave_out_deficient_color_vision":true,"min_median_response_ms":150,"exposure_tolerance_ms":100,"max_loads":3}}','[{"name": "baseline", "run_id": null, "seed": null}, {"name": "loss=regression", "run_id": null, "seed": null}]',2,FALSE,1.0,NULL);
INSERT INTO "participants" VALUES(1,1,'finished',0,'loss=regression','normal',1700000000.0,1700000000.0,NULL,NULL,NULL,NULL);
INSERT INTO "participants" VALUES(2,1,'under way',1,'baseline','normal',1700000000.0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "trials" VALUES(1,1,'practice','photo6','ca92de4e52a2ad76d833233c70486fc7','be625e036d9af44d8f63d4f561f5055f','right',1,TRUE,200.0,'left',800.0,1700000000.0,NULL,NULL);
INSERT INTO "trials" VALUES(1,2,'practice','photo5','af67ab5e31300d060e787ad2e81f87c8','ff3cc9324ebf89269fe02937f6432488','left',1,TRUE,200.0,'left',800.0,1700000000.0,NULL,NULL);
INSERT INTO "trials" VALUES(1,3,'test','photo4','bdce6d3f9f3870eb1a698015b9488a13','192c5d6721f32bf35ecf871cfb345688','left',1,TRUE,200.0,'right',800.0,1700000000.0,NULL,NULL);
INSERT INTO "trials" VALUES(1,4,'check','photo8','b1188c1230491524966bbe981fcd11af','17820c6fe82bdca84c87cd52c9f8f84d','right',1,TRUE,200.0,'left',800.0,1700000000.0,NULL,NULL);
INSERT INTO "trials" VALUES(1,5,'test','photo0','34f866b302fd4681f44fa0dae407bfc2','73f97bbaa0880a75ce8d4cfb4a4f6ca1','right',1,TRUE,200.0,'left',800.0,1700000000.0,NULL,NULL);
INSERT INTO "trials" VALUES(1,6,'test','photo1','9c6aa6d3dc7eff8b061bde3305f88a20','4f66fd082475f268e681478500fed935','right',1,TRUE,200.0,'right',800.0,1700000000.0,NULL,NULL);
INSERT INTO "trials" VALUES(1,7,'test','photo2','befef614daff120cd3d9dd8c577b2bc5','14e23a7df45501cb6689f7ecdc3be05f','left',1,TRUE,200.0,'left',800.0,1700000000.0,NULL,NULL);
INSERT INTO "trials" VALUES(2,1,'practice','photo2','befef614daff120cd3d9dd8c577b2bc5','969f52bb4c9907433f836185e8ec41e0','left',1,TRUE,200.0,'left',800.0,1700000000.0,NULL,NULL);
INSERT INTO "trials" VALUES(2,2,'practice','photo8','b1188c1230491524966bbe981fcd11af','1b35dc9b89cea3a8628971bb758ff7c1','left',1,TRUE,200.0,'left',800.0,1700000000.0,NULL,NULL);
INSERT INTO "trials" VALUES(2,3,'test','photo5','af67ab5e31300d060e787ad2e81f87c8','a87214f589cd1318dbd494ca2eac3629','left',1,TRUE,200.0,'right',800.0,1700000000.0,NULL,NULL);
INSERT INTO "trials" VALUES(2,4,'test','photo4','bdce6d3f9f3870eb1a698015b9488a13','b8d98f8d8a86a631b0bdbc59fd950ef1','left',0,FALSE,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "trials" VALUES(2,5,'test','photo6','ca92de4e52a2ad76d833233c70486fc7','b9b08da559090fa38acd6bf887a2f7cf','right',0,FALSE,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "trials" VALUES(2,6,'check','photo7','956c908ea71ae14a1cca8f7b2c80d80e','a4ed047401d7de8375ad285066ba2464','right',0,FALSE,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "trials" VALUES(2,7,'test','photo1','9c6aa6d3dc7eff8b061bde3305f88a20','453178b44384c933b7a74b12473ce02f','left',0,FALSE,NULL,NULL,NULL,NULL,NULL,NULL);
