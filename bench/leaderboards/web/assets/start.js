function draw() {
  hideTip();
  drawFilters();
  drawTable();
  drawComparison();
  writeAddress();
}

readAddress();
startTable();
startFilters();
startTips();
startFigures();
addEventListener("hashchange", () => { readAddress(); draw(); });
draw();
