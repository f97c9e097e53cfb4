import cv2
import yaml
from dotenv import load_dotenv
from google.cloud import storage
from opentelemetry.sdk.trace import TracerProvider
from sklearn.linear_model import LinearRegression
