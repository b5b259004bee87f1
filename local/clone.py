"""Where things lie in this clone."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
CONTRACTS = ROOT / "contracts"
STATES = ROOT / ".local"
SAMPLE = ROOT / "local.settings.sample.json"
SETTINGS = ROOT / "local.settings.json"
LAKEHOUSE_PYTHON = ROOT / ".venv-lakehouse" / "bin" / "python"
JARS = ROOT / ".cache" / "jars"
COSMOS_SERVER = ROOT / "node_modules" / "@vercel" / "cosmosdb-server"
AZURITE = ROOT / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
